internal import NIOCore
internal import RecordBatch

// A segment's index files, Kafka's. Integers are big-endian; offsets are relative to the segment's base offset.
//
//      .index      0                  4                8
//                  +------------------+----------------+---
//                  | relative offset  |    position    | …     the last offset of the batch that begins at this
//                  |      Int32       |     Int32      |       position of the .log file
//                  +------------------+----------------+---
//
//      .timeindex  0                                 8                  12
//                  +---------------------------------+------------------+---
//                  |            timestamp            | relative offset  | …     the largest timestamp up to this
//                  |       Int64 (milliseconds)      |      Int32       |       offset, and the offset itself
//                  +---------------------------------+------------------+---
//
// Both increase strictly from entry to entry. They are sparse: a batch gets an entry when more than
// `indexIntervalBytes` were written since the last one. A closed segment's time index ends with its largest timestamp.
// Batches that compaction has left without records do not count for timestamps.

/// One entry of a segment's `.index`.
struct OffsetIndexEntry: Hashable, Sendable {
    static let byteCount = 8
    var relativeOffset: Int32
    var position: Int32
}

/// One entry of a segment's `.timeindex`.
struct TimeIndexEntry: Hashable, Sendable {
    static let byteCount = 12
    var timestamp: Int64
    var relativeOffset: Int32
}

/// Both indexes of one segment, in memory: of the active segment, or of one that is being scanned. Owned by whoever
/// owns the segment.
struct SegmentIndex: Hashable, Sendable {
    let baseOffset: Offset
    let intervalBytes: Int
    private(set) var offsets: [OffsetIndexEntry] = []
    private(set) var times: [TimeIndexEntry] = []
    private var bytesSinceLastEntry = 0
    /// The largest timestamp so far, and the last offset of the batch that has it.
    private(set) var largest: TimeIndexEntry?

    init(baseOffset: Offset, intervalBytes: Int) {
        self.baseOffset = baseOffset
        self.intervalBytes = intervalBytes
    }

    /// An index read from disk; nil when its entries do not increase or point outside a log of `logBytes`.
    init?(
        baseOffset: Offset, intervalBytes: Int, offsets: [OffsetIndexEntry], times: [TimeIndexEntry], logBytes: Int
    ) {
        self.init(baseOffset: baseOffset, intervalBytes: intervalBytes)
        let offsetsIncrease = zip(offsets, offsets.dropFirst()).allSatisfy {
            $0.relativeOffset < $1.relativeOffset && $0.position < $1.position
        }
        let timesIncrease = zip(times, times.dropFirst()).allSatisfy {
            $0.timestamp < $1.timestamp && $0.relativeOffset <= $1.relativeOffset
        }
        guard offsetsIncrease, timesIncrease, (offsets.first?.relativeOffset ?? 0) >= 0,
            (offsets.first?.position ?? 0) >= 0, Int(offsets.last?.position ?? -1) < logBytes,
            (times.first?.relativeOffset ?? 0) >= 0
        else { return nil }
        self.offsets = offsets
        self.times = times
        self.largest = times.last
    }

    /// Takes note of a batch that lies at `position` of the log file, after all others.
    mutating func add(_ header: RecordBatchHeader, baseOffset batchOffset: Offset, at position: Int) {
        let lastOffset = batchOffset.advanced(by: Int64(header.lastOffsetDelta))
        let relativeOffset = Int32(clamping: lastOffset - baseOffset)
        if header.recordCount > 0, header.maxTimestamp > largest?.timestamp ?? -1 {
            largest = TimeIndexEntry(timestamp: header.maxTimestamp, relativeOffset: relativeOffset)
        }
        if bytesSinceLastEntry > intervalBytes {
            offsets.append(OffsetIndexEntry(relativeOffset: relativeOffset, position: Int32(clamping: position)))
            addLargestTimestamp()
            bytesSinceLastEntry = 0
        }
        bytesSinceLastEntry += header.totalByteCount
    }

    /// Takes note of a batch that the index was made with already: the walk from its last entry to the log's end.
    mutating func resume(over header: RecordBatchHeader, baseOffset batchOffset: Offset) {
        let lastOffset = batchOffset.advanced(by: Int64(header.lastOffsetDelta))
        if header.recordCount > 0, header.maxTimestamp > largest?.timestamp ?? -1 {
            largest = TimeIndexEntry(
                timestamp: header.maxTimestamp, relativeOffset: Int32(clamping: lastOffset - baseOffset))
        }
        bytesSinceLastEntry += header.totalByteCount
    }

    /// Ends the time index with the largest timestamp, as closing a segment does.
    mutating func addLargestTimestamp() {
        guard let largest, largest.timestamp > times.last?.timestamp ?? -1 else { return }
        times.append(largest)
    }

    /// Whether one of the index files has `bytes`, or has no room for another entry there. One entry always has.
    func isFull(at bytes: Int) -> Bool {
        offsets.count >= max(1, bytes / OffsetIndexEntry.byteCount)
            || times.count >= max(1, bytes / TimeIndexEntry.byteCount)
    }

    /// Where to begin looking for `offset`: the position of the last indexed batch that ends at or before it.
    func position(for offset: Offset) -> Int {
        let count = Self.countNotAbove(Int32(clamping: offset - baseOffset), in: offsets, by: \.relativeOffset)
        return count == 0 ? 0 : Int(offsets[count - 1].position)
    }

    /// Where the first indexed batch that ends at or after `offset` begins; nil when none does.
    func positionAfter(_ offset: Offset) -> Int? {
        let count = Self.countNotAbove(Int32(clamping: offset - baseOffset), in: offsets, by: \.relativeOffset)
        return count < offsets.count ? Int(offsets[count].position) : nil
    }

    /// The last position of an indexed batch that is not after `position`; 0 when there is none.
    func lastPosition(notAfter position: Int) -> Int {
        let count = Self.countNotAbove(Int32(clamping: position), in: offsets, by: \.position)
        return count == 0 ? 0 : Int(offsets[count - 1].position)
    }

    /// Where to begin looking for the first record with a timestamp of at least `timestamp`.
    func position(forTimestamp timestamp: Int64) -> Int {
        let count = Self.countNotAbove(timestamp, in: times, by: \.timestamp)
        guard count > 0 else { return 0 }
        return position(for: baseOffset.advanced(by: Int64(times[count - 1].relativeOffset)))
    }

    /// How many entries, which increase, have a value of at most `limit`.
    private static func countNotAbove<Entry, Value: Comparable>(
        _ limit: Value, in entries: [Entry], by value: (Entry) -> Value
    ) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if value(entries[middle]) <= limit { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SegmentIndex {
    /// The bytes of `.index` entries from the given one on.
    func encodedOffsets(from first: Int = 0) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity((offsets.count - first) * OffsetIndexEntry.byteCount)
        for entry in offsets[first...] {
            buffer.writeMultipleIntegers(entry.relativeOffset, entry.position)
        }
        return buffer
    }

    /// The bytes of `.timeindex` entries from the given one on.
    func encodedTimes(from first: Int = 0) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity((times.count - first) * TimeIndexEntry.byteCount)
        for entry in times[first...] {
            buffer.writeMultipleIntegers(entry.timestamp, entry.relativeOffset)
        }
        return buffer
    }

    /// The entries of an `.index` file; nil when it ends within one.
    static func decodeOffsets(_ bytes: ByteBuffer) -> [OffsetIndexEntry]? {
        guard bytes.readableBytes % OffsetIndexEntry.byteCount == 0 else { return nil }
        var bytes = bytes
        var entries: [OffsetIndexEntry] = []
        entries.reserveCapacity(bytes.readableBytes / OffsetIndexEntry.byteCount)
        while let (relativeOffset, position) = bytes.readMultipleIntegers(as: (Int32, Int32).self) {
            entries.append(OffsetIndexEntry(relativeOffset: relativeOffset, position: position))
        }
        return entries
    }

    /// The entries of a `.timeindex` file; nil when it ends within one.
    static func decodeTimes(_ bytes: ByteBuffer) -> [TimeIndexEntry]? {
        guard bytes.readableBytes % TimeIndexEntry.byteCount == 0 else { return nil }
        var bytes = bytes
        var entries: [TimeIndexEntry] = []
        entries.reserveCapacity(bytes.readableBytes / TimeIndexEntry.byteCount)
        while let (timestamp, relativeOffset) = bytes.readMultipleIntegers(as: (Int64, Int32).self) {
            entries.append(TimeIndexEntry(timestamp: timestamp, relativeOffset: relativeOffset))
        }
        return entries
    }
}
