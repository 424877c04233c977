public import MetricModel
public import NIOCore

/// Some records of one topic that are published together: their texts lie one after the other in one buffer, which is
/// reused from block to block. A value of whoever makes the records.
public struct RecordBlock: Sendable {
    /// One record: the samples of one instance at one time.
    public struct Record: Sendable {
        /// The record's key.
        public let instance: String
        public let timestamp: Timestamp
        public let sampleCount: Int
        /// Where its text begins and ends in the block's buffer.
        public let bytes: Range<Int>
    }

    /// The texts of all records.
    public private(set) var text = ByteBuffer()
    public private(set) var records: [Record] = []
    public private(set) var sampleCount = 0

    public init() {}

    public var isEmpty: Bool { records.isEmpty }

    /// Appends one record.
    ///
    /// - Parameter write: appends the record's text to the buffer, and gives how many samples it has.
    public mutating func append(instance: String, timestamp: Timestamp, _ write: (inout ByteBuffer) -> Int) {
        let start = text.writerIndex
        let samples = write(&text)
        sampleCount += samples
        records.append(
            Record(instance: instance, timestamp: timestamp, sampleCount: samples, bytes: start..<text.writerIndex))
    }

    /// Forgets the records and keeps the storage.
    public mutating func removeAll() {
        text.clear()
        records.removeAll(keepingCapacity: true)
        sampleCount = 0
    }
}
