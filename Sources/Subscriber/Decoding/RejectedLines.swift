internal import KafkaProtocol
internal import RecordBatch

/// The lines of one record that are no samples. The first hundred are rejected one by one, the others together, so
/// that a large record that is no text at all does not become a hundred thousand records.
///
/// Lives while its record is decoded.
struct RejectedLines {
    static let maximumSingleLines = 100

    private let record: RecordView
    private let agent: String?
    private let source: TopicPartition
    private var rejections: [Rejection] = []
    private(set) var count = 0
    /// The line that `rest` begins with.
    private var line = 1
    private var rest: Slice<UnsafeRawBufferPointer>

    init(of record: RecordView, agent: String?, source: TopicPartition) {
        self.record = record
        self.agent = agent
        self.source = source
        rest = (record.value ?? UnsafeRawBufferPointer(start: nil, count: 0))[...]
    }

    var isEmpty: Bool { count == 0 }

    /// Lines come in order. `text` is what was rejected where it is no line but an element of another kind.
    mutating func add(_ number: Int, _ reason: String, _ text: UnsafeRawBufferPointer? = nil) {
        count += 1
        guard count <= Self.maximumSingleLines else { return }
        if let text {
            rejections.append(
                Rejection(
                    reason: reason, source: source, offset: record.offset, line: number, agent: agent, key: record.key,
                    value: text))
            return
        }
        let feed = UInt8(ascii: "\n")
        while line < number, let end = rest.firstIndex(of: feed) {
            rest = rest[(end + 1)...]
            line += 1
        }
        rejections.append(
            Rejection(
                reason: reason, source: source, offset: record.offset, line: number, agent: agent, key: record.key,
                value: UnsafeRawBufferPointer(rebasing: rest.prefix { $0 != feed })))
    }

    consuming func finish() -> [Rejection] {
        if count > Self.maximumSingleLines {
            rejections.append(
                Rejection(
                    reason: "\(count - Self.maximumSingleLines) more lines of this record are no samples",
                    source: source, offset: record.offset, agent: agent, key: record.key, value: record.value))
        }
        return rejections
    }
}
