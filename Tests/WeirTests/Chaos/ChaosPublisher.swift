import Glibc
import KafkaProtocol
@testable import MetricAgent
import MetricModel
import TestKit
import Testing

/// A host whose agent is killed again and again. Between two lives of the agent the test puts records of its ledger into the
/// spool, as collectors would; the agent publishes what the spool holds.
actor ChaosPublisher {
    private(set) var ledger: ChaosLedger
    private let instance: String
    private let address: String
    private let topics: [TopicName]
    private let weir: WeirProcesses
    private var random: SeededRandom
    private var agent: ChildProcess?
    private var isEnding = false

    private static let recordsPerLife = 20...120
    /// Kafka's sign for a record without a time; samples without one get that at which they are decoded.
    static let noTime = Timestamp(milliseconds: -1)

    /// - Parameter start: the earliest timestamp of its ledger.
    init(
        _ weir: WeirProcesses, instance: String, address: String, topics: [TopicName], start: Int64,
        random: SeededRandom
    ) {
        self.weir = weir
        self.instance = instance
        self.address = address
        self.topics = topics
        self.random = random
        ledger = ChaosLedger(instance: instance, topics: topics.map(\.rawValue), start: start)
    }

    /// Publishes until `end()`, and then until everything is published.
    func run() async throws {
        while true {
            let isLast = isEnding
            if !isLast { try accept(Int.random(in: Self.recordsPerLife, using: &random)) }
            let agent = try weir.startAgent(address, instance: instance, ["--drain", "--self-metrics", "off"])
            self.agent = agent
            while agent.poll() == nil { try await Task.sleep(for: .milliseconds(20)) }
            let status = agent.poll()
            #expect(status == .exited(0) || status == .signalled(SIGKILL), "\(agent.errorOutput.suffix(2000))")
            if isLast, status == .exited(0) { return }
        }
    }

    func end() { isEnding = true }

    /// Kills the agent, if one lives.
    func kill() { agent?.kill() }

    private func accept(_ count: Int) throws {
        let spool = try Spool(
            directory: weir.spool(instance), limitBytes: 1 << 30, topics: topics, key: instance)
        for _ in 0..<count {
            let topic = topics[Int.random(in: topics.indices, using: &random)]
            let text = ledger.record(for: topic.rawValue, using: &random)
            _ = try spool.topics[topic]?.append(Array(text.utf8), timestamp: Self.noTime)
        }
        try spool.close()
    }
}
