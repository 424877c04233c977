import KafkaClient
import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization

@testable import MetricAgent

/// Stands for a broker in tests: keeps what is published, waits while it is away, refuses when told to.
final class RecordingPublisher: Publisher {
    struct Refusal: Error, CustomStringConvertible {
        var description: String { "refused by the test" }
    }

    private struct State {
        var isAway: Bool
        var isRefusing = false
        var isClosed = false
        var batches: [TopicName: [EncodedBatch]] = [:]
        var attempts = 0
    }

    private let state: Mutex<State>

    init(isAway: Bool = false) {
        state = Mutex(State(isAway: isAway))
    }

    var isAway: Bool {
        get { state.withLock { $0.isAway } }
        set { state.withLock { $0.isAway = newValue } }
    }

    var isRefusing: Bool {
        get { state.withLock { $0.isRefusing } }
        set { state.withLock { $0.isRefusing = newValue } }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
    var attempts: Int { state.withLock { $0.attempts } }
    var isReachable: Bool? { !isAway }
    let traffic = ConnectionTraffic()

    func publish(_ batch: EncodedBatch, to topic: TopicName) async throws {
        while isAway { try await Task.sleep(for: .milliseconds(1)) }
        try state.withLock { state in
            state.attempts += 1
            if state.isRefusing { throw Refusal() }
            state.batches[topic, default: []].append(batch)
        }
    }

    func close() async {
        state.withLock { $0.isClosed = true }
    }

    /// The records of a topic in the order published.
    func records(of topic: TopicName) throws -> [SpooledRecord] {
        try state.withLock { $0.batches[topic] ?? [] }.flatMap(SpooledRecord.all)
    }
}

/// What a test wants to know of one record that came out of a spool.
struct SpooledRecord: Equatable {
    var agent: String
    var epoch: Int64
    var sequence: Int64
    var key: String
    var timestamp: Int64
    var text: String

    static func all(of batch: EncodedBatch) throws -> [SpooledRecord] {
        try batch.records(maximumDecompressedBytes: 1 << 20).map(SpooledRecord.init)
    }

    init(_ record: Record) {
        func header(_ name: String) -> String {
            record.headers.first { $0.key == name }?.value.map { String(buffer: $0) } ?? ""
        }
        agent = header("weir-agent")
        epoch = Int64(header("weir-epoch")) ?? -1
        sequence = Int64(header("weir-sequence")) ?? -1
        key = record.key.map { String(buffer: $0) } ?? ""
        timestamp = record.timestamp
        text = record.value.map { String(buffer: $0) } ?? ""
    }
}
