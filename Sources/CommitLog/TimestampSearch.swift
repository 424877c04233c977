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

    enum Goal: Sendable {
        case atLeast(Int64)
        case largest
    }

    /// The active segment at the time when the search was made.
    struct Active: Sendable {
        let file: File
        let byteCount: Int
        /// Where its time index says to begin.
        let position: Int
        let largest: Int64?
    }

    let goal: Goal
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
            wanted = max(wanted, active.largest ?? .min)
            // Nothing has a timestamp: there is no largest one.
            if wanted == .min { return nil }
        }
        for segment in sealed {
            guard let largest = try largest(in: segment), largest >= wanted,
                let file = try directory.openIfPresent(segment.name.log)
            else { continue }
            let start = try position(for: wanted, in: segment)
            if let match = try find(wanted, in: file, from: start, end: segment.byteCount, maximumDecompressedBytes) {
                return match
            }
        }
        guard let largest = active.largest, largest >= wanted else { return nil }
        return try find(wanted, in: active.file, from: active.position, end: active.byteCount, maximumDecompressedBytes)
    }

    /// The largest timestamp of a sealed segment, which its time index ends with; nil when it has none.
    private func largest(in segment: SealedSegment) throws(LogError) -> Int64? {
        guard let index = try directory.openIfPresent(segment.name.timeIndex) else { return nil }
        let count = try index.size() / TimeIndexEntry.byteCount
        guard count > 0 else { return nil }
        let bytes = try index.read(count: TimeIndexEntry.byteCount, at: (count - 1) * TimeIndexEntry.byteCount)
        return bytes.getInteger(at: bytes.readerIndex)
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
            if header.maxTimestamp >= timestamp {
                let bytes = try file.read(count: header.totalByteCount, at: position)
                do throws(RecordBatchError) {
                    let records = try EncodedBatch(validating: bytes)
                        .records(maximumDecompressedBytes: maximumDecompressedBytes)
                    if let record = records.first(where: { $0.timestamp >= timestamp }) {
                        return Match(offset: record.offset, timestamp: record.timestamp)
                    }
                } catch {
                    throw .corrupt(path: file.path, position: position, reason: error.description)
                }
            }
            position += header.totalByteCount
        }
        return nil
    }
}
