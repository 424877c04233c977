import Broker
import CommitLog
import Glibc
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import NIOCore
import RecordBatch
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import MetricAgent

@Suite struct AgentServiceTests {
    private let directory: TemporaryDirectory
    private let log = LogLines()

    init() throws {
        directory = try TemporaryDirectory("weir agent")
    }

    private var logger: Logger { log.logger }

    private func configuration(
        collectors: [CollectorName] = [.cpu, .load], port: Int = 1, interval: Duration = .milliseconds(20)
    ) -> AgentConfiguration {
        AgentConfiguration(
            bootstrap: [BrokerAddress(host: "127.0.0.1", port: port)], instance: "host", interval: interval,
            collectors: collectors, spoolDirectory: directory.appending("spool"))
    }

    private func agent(_ configuration: AgentConfiguration, _ publisher: RecordingPublisher) throws -> AgentService {
        try AgentService(configuration: configuration, logger: logger) { publisher }
    }

    /// Runs services while `body` does, then shuts them down gracefully; returns how long that took.
    private func running(_ services: any Service..., during body: () async throws -> Void) async throws -> Duration {
        let group = ServiceGroup(services: services, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await body()
            let begin = ContinuousClock.now
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            return .now - begin
        }
    }

    @Test func `samples of every collector go to its own topic, in sequence, with the instance`() async throws {
        let publisher = RecordingPublisher()
        let agent = try agent(configuration(), publisher)
        let topics = [try TopicName("metrics.cpu"), try TopicName("metrics.load")]
        _ = try await running(agent) {
            try await eventually("five runs of each are published") {
                try topics.allSatisfy { try publisher.records(of: $0).count >= 5 }
            }
        }
        for topic in topics {
            let records = try publisher.records(of: topic)
            #expect(records.map(\.sequence) == Array(0..<Int64(records.count)))
            #expect(records.allSatisfy { $0.key == "host" && $0.text.contains("instance=\"host\"") })
        }
        #expect(try publisher.records(of: topics[1]).allSatisfy { $0.text.hasPrefix("node_load1{") })
        let statistics = agent.statistics
        #expect(statistics.samplesAccepted == statistics.samplesCollected)
        #expect(statistics.samplesRefused == 0)
        #expect(statistics.recordsWaiting == 0)
        #expect(statistics.bytesWaiting == 0)
        #expect(statistics.recordsPublished == (try topics.reduce(0) { try $0 + publisher.records(of: $1).count }))
        #expect(publisher.isClosed)
    }

    @Test func `what is collected while nobody takes it arrives after a restart`() async throws {
        let load = try TopicName("metrics.load")
        let away = RecordingPublisher(isAway: true)
        let first = try agent(configuration(collectors: [.load]), away)
        let ending = try await running(first) {
            try await eventually("three records wait") { first.statistics.recordsWaiting >= 3 }
        }
        #expect(ending < .seconds(2))
        let waiting = first.statistics.recordsWaiting
        #expect(log.visible.contains { $0.contains("\(waiting) records wait in the spool") })

        let publisher = RecordingPublisher()
        let second = try agent(configuration(collectors: [.load], interval: .seconds(3600)), publisher)
        _ = try await running(second) {
            try await eventually("all arrive") { try publisher.records(of: load).count == waiting }
        }
        #expect(try publisher.records(of: load).map(\.sequence) == Array(0..<Int64(waiting)))
    }

    @Test func `a collector that fails is told of once and counted, the others go on`() async throws {
        var configuration = configuration()
        let proc = directory.appending("proc")
        mkdir(proc, 0o755)
        try Array("0.1 0.2 0.3 1/2 3\n".utf8).write(to: "\(proc)/loadavg")
        configuration.procRoot = proc
        let publisher = RecordingPublisher()
        let agent = try agent(configuration, publisher)
        let load = try TopicName("metrics.load")
        _ = try await running(agent) {
            try await eventually("cpu has failed three times and load gone on") {
                try agent.statistics.collectorErrors[.cpu] ?? 0 >= 3 && publisher.records(of: load).count >= 3
            }
            try Array("cpu0 1 2 3 4\n".utf8).write(to: "\(proc)/stat")
            let cpu = try TopicName("metrics.cpu")
            try await eventually("cpu works again") { try !publisher.records(of: cpu).isEmpty }
        }
        #expect(agent.statistics.collectorErrors[.load] == 0)
        #expect(log.visible.filter { $0.contains("collector cpu has no samples: cannot read \(proc)/stat") }.count == 1)
        #expect(log.visible.filter { $0.contains("collector cpu works again") }.count == 1)
    }

    @Test func `what the broker refuses stays in the spool, is told of once, and is offered again`() async throws {
        let publisher = RecordingPublisher()
        publisher.isRefusing = true
        let agent = try agent(configuration(collectors: [.load]), publisher)
        let load = try TopicName("metrics.load")
        _ = try await running(agent) {
            try await eventually("it was offered twice") { publisher.attempts >= 2 }
            publisher.isRefusing = false
            try await eventually("it is taken") { try publisher.records(of: load).count >= 3 }
        }
        #expect(try publisher.records(of: load).first?.sequence == 0)
        #expect(
            log.visible.filter { $0.contains("cannot publish to topic metrics.load: refused by the test") }.count == 1)
    }

    @Test func `a full spool refuses, counts and names directory and limit once`() async throws {
        var configuration = configuration(collectors: [.cpu])
        configuration.spoolMaximumBytes = 10_000
        let agent = try agent(configuration, RecordingPublisher(isAway: true))
        _ = try await running(agent) {
            try await eventually("samples are refused") { agent.statistics.samplesRefused > 0 }
        }
        let spool = configuration.spoolDirectory
        #expect(log.visible.filter { $0.contains("the spool in \(spool) is at its limit of 9.7 KiB") }.count == 1)
        #expect(agent.statistics.samplesCollected == agent.statistics.samplesAccepted + agent.statistics.samplesRefused)
    }

    @Test func `a configuration that cannot work is refused with what to do`() throws {
        func refusal(_ change: (inout AgentConfiguration) -> Void) throws -> AgentError {
            var configuration = configuration()
            change(&configuration)
            return try #require(throws: AgentError.self) {
                try AgentService(configuration: configuration, logger: logger)
            }
        }
        #expect(try refusal { $0.collectors = [] } == .noCollectors)
        #expect(try refusal { $0.bootstrap = [] } == .noBootstrap)
        #expect(try refusal { $0.instance = "" } == .emptyInstance)
        #expect(
            try refusal { $0.interval = .zero } == .intervalTooShort(.zero, minimum: .milliseconds(10)))
        guard case .topicName = try refusal({ $0.topicPrefix = "a/b." }) else {
            Issue.record("an invalid topic name was taken")
            return
        }
        let unwritable = try refusal { $0.spoolDirectory = "/proc/weir" }
        #expect(unwritable.description.hasPrefix("the spool in /proc/weir cannot be opened: "))
    }

    @Test func `a second agent on the same spool is refused with the process that has it`() throws {
        let first = try agent(configuration(), RecordingPublisher())
        let error = try #require(throws: AgentError.self) {
            try AgentService(configuration: configuration(), logger: logger)
        }
        #expect(error.description.contains("is in use by process \(getpid())"))
        withExtendedLifetime(first) {}
    }

    @Test func `the agent ends within two seconds while the broker is away`() async throws {
        let agent = try AgentService(configuration: configuration(port: try freePort()), logger: logger)
        let ending = try await running(agent) {
            try await eventually("records wait") { agent.statistics.recordsWaiting >= 4 }
        }
        #expect(ending < .seconds(2))
        #expect(agent.statistics.isBrokerReachable != true)
    }

    @Test func `what is collected before the broker starts arrives once, in sequence`() async throws {
        let port = try freePort()
        let agent = try AgentService(configuration: configuration(port: port), logger: logger)
        let broker = BrokerService(
            configuration: BrokerConfiguration(dataDirectory: directory.appending("broker"), port: port),
            logger: logger)
        let brokerTask = Mutex<Task<Void, any Error>?>(nil)
        var received: [String: [SpooledRecord]] = [:]
        let ending = try await running(agent) {
            try await eventually("records wait for the broker") { agent.statistics.recordsWaiting >= 20 }
            #expect(agent.statistics.recordsPublished == 0)
            brokerTask.withLock { $0 = Task { try await broker.run() } }
            _ = try await broker.listening()
            try await eventually("the spool is empty") {
                agent.statistics.recordsPublished >= 20 && agent.statistics.recordsWaiting == 0
            }
            #expect(agent.statistics.isBrokerReachable == true)
        }
        #expect(log.visible.filter { $0.contains("cannot reach 127.0.0.1:\(port)") }.count == 1)
        #expect(log.visible.filter { $0.contains("reached 127.0.0.1:\(port) again") }.count == 1)
        #expect(ending < .seconds(2))
        let published = agent.statistics.recordsPublished
        for name in ["metrics.cpu", "metrics.load"] {
            received[name] = try await records(of: TopicName(name), port: port)
        }
        brokerTask.withLock { $0?.cancel() }
        for records in received.values {
            #expect(records.map(\.sequence) == Array(0..<Int64(records.count)))
            #expect(Set(records.map(\.agent)).count == 1)
        }
        #expect(received.values.reduce(0) { $0 + $1.count } == published)
    }

    /// Everything in the one partition of a topic.
    private func records(of topic: TopicName, port: Int) async throws -> [SpooledRecord] {
        let cluster = Cluster(
            configuration: ClientConfiguration(bootstrap: [BrokerAddress(host: "127.0.0.1", port: port)]),
            logger: logger)
        defer { cluster.close() }
        var records: [SpooledRecord] = []
        while true {
            var request = FetchRequest()
            request.maxWaitMs = 0
            request.topics = [
                FetchRequest.FetchTopic(
                    topic: topic.rawValue,
                    partitions: [
                        FetchRequest.FetchPartition(
                            partition: 0, fetchOffset: Int64(records.count), partitionMaxBytes: 1 << 20)
                    ])
            ]
            let answer = try await cluster.send(
                request, to: .leader(TopicPartition(topic: topic, partition: 0)), maximumVersion: 11)
            guard let bytes = answer.responses.first?.partitions.first?.records, bytes.readableBytes > 0 else {
                return records
            }
            for batch in try EncodedBatch.split(bytes).whole { records += try SpooledRecord.all(of: batch) }
        }
    }
}
