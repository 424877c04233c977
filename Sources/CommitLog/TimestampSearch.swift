internal import NIOCore
public import RecordBatch

/// A search of a log by timestamp, run without the owner's lock on a thread that may block.
public struct TimestampSearch: Sendable {
    /// A record that was found.
    public struct Match: Hashable, Sendable {
        public let offset: Offset
        /// The record's timestamp, in milliseconds since the epoch.
        public let timestamp: Int64
    }

    enum Goal: Hashable, Sendable {
        case atLeast(Int64)
        case largest
    }

    /// The active segment at the time when the search was made.
    struct Active: Sendable {
        let file: File
        let baseOffset: Offset
        let byteCount: Int
        /// Where its time index says to begin.
        let position: Int
        let largest: Int64?
    }

    let goal: Goal
    /// The log start offset: what lies before it is not found.
    let start: Offset
    let directory: Directory
    let sealed: [SealedSegment]
    let active: Active

    /// The match that comes first in the log; nil when there is none. A segment deleted meanwhile is passed over.
    ///
    /// - Parameter maximumDecompressedBytes: the limit for each batch that has to be decompressed.
    public func find(
        maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) throws(LogError) -> Match? {
        var wanted = Int64.min
        switch goal {
        case .atLeast(let timestamp):
            wanted = timestamp
        case .largest:
            for segment in sealed { wanted = max(wanted, try largest(in: segment) ?? .min) }
            if active.byteCount > 0 { wanted = max(wanted, try largestInActive() ?? .min) }
            // Nothing has a timestamp: there is no largest one.
            if wanted == .min { return nil }
        }
        for segment in sealed {
            guard segment.largestTimestamp ?? .min >= wanted, let file = try directory.openIfPresent(segment.name.log)
            else { continue }
            let position = try position(for: wanted, in: segment)
            // Compaction may have replaced the file meanwhile by a shorter one.
            let end = try file.size()
            if let match = try find(wanted, in: file, from: position, end: end, maximumDecompressedBytes) {
                return match
            }
        }
        guard let largest = active.largest, largest >= wanted else { return nil }
        // Its index leads to its own largest timestamp, which may lie before the log start.
        let position = goal == .largest && largest != wanted ? 0 : active.position
        return try find(wanted, in: active.file, from: position, end: active.byteCount, maximumDecompressedBytes)
    }

    /// The largest timestamp of a sealed segment's records from the log start on; nil when there is none.
    private func largest(in segment: SealedSegment) throws(LogError) -> Int64? {
        guard segment.baseOffset < start else { return segment.largestTimestamp }
        guard let file = try directory.openIfPresent(segment.name.log) else { return nil }
        return try largest(in: file, end: try file.size())
    }

    private func largestInActive() throws(LogError) -> Int64? {
        guard active.baseOffset < start else { return active.largest }
        return try largest(in: active.file, end: active.byteCount)
    }

    /// The same, for a segment that begins before the log start, from its batches' headers; a batch that lies across the log
    /// start counts for the records after it.
    private func largest(in file: File, end: Int) throws(LogError) -> Int64? {
        let reader = BatchReader(file, end: end)
        var largest: Int64?
        var position = 0
        while position < end {
            let header = try reader.intactHeader(at: position)
            if header.lastOffset >= start, header.recordCount > 0, header.maxTimestamp >= 0 {
                let timestamp =
                    header.baseOffset >= start
                    ? header.maxTimestamp
                    : try records(in: file, header, at: position, RecordBatchLimits.maximumDecompressedBytes)
                        .lazy.filter { $0.offset >= start }.map(\.timestamp).max() ?? -1
                largest = max(largest ?? -1, timestamp)
            }
            position += header.totalByteCount
        }
        return largest.flatMap { $0 < 0 ? nil : $0 }
    }

    /// Where the indexes of a sealed segment say to begin.
    private func position(for timestamp: Int64, in segment: SealedSegment) throws(LogError) -> Int {
        guard let file = try directory.openIfPresent(segment.name.timeIndex),
            let times = SegmentIndex.decodeTimes(try file.read(count: try file.size(), at: 0)),
            let entry = times.last(where: { $0.timestamp <= timestamp })
        else { return 0 }
        let offset = segment.baseOffset.advanced(by: Int64(entry.relativeOffset))
        do throws(LogError) {
            return try segment.open(in: directory).position(for: offset)
        } catch {
            if case .file(.open, _, let reason) = error, reason.isMissing { return 0 }
            throw error
        }
    }

    private func find(
        _ timestamp: Int64, in file: File, from start: Int, end: Int, _ maximumDecompressedBytes: Int
    ) throws(LogError) -> Match? {
        let reader = BatchReader(file, end: end)
        var position = start
        while position < end {
            let header = try reader.intactHeader(at: position)
            if header.maxTimestamp >= timestamp, header.lastOffset >= self.start {
                let records = try records(in: file, header, at: position, maximumDecompressedBytes)
                if let record = records.first(where: { $0.timestamp >= timestamp && $0.offset >= self.start }) {
                    return Match(offset: record.offset, timestamp: record.timestamp)
                }
            }
            position += header.totalByteCount
        }
        return nil
    }

    private func records(
        in file: File, _ header: RecordBatchHeader, at position: Int, _ maximumDecompressedBytes: Int
    ) throws(LogError) -> [Record] {
        let bytes = try file.read(count: header.totalByteCount, at: position)
        do throws(RecordBatchError) {
            return try EncodedBatch(validating: bytes).records(maximumDecompressedBytes: maximumDecompressedBytes)
        } catch {
            throw .corrupt(path: file.path, position: position, reason: error.description)
        }
    }
}
