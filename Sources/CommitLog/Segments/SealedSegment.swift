internal import NIOCore
internal import RecordBatch

/// A segment that takes no more batches. A value owned by the log; its files are opened for each use, so that a log
/// with many segments holds few descriptors.
struct SealedSegment: Hashable, Sendable {
    let name: SegmentName
    /// Bytes of the log file.
    let byteCount: Int
    /// The offset after the last batch.
    let nextOffset: Offset
    /// The largest timestamp of its records (milliseconds); nil when none has one.
    let largestTimestamp: Int64?
    /// Its transaction index; nil when no transaction's abort marker is in it.
    var aborted: TransactionIndexMark?
    /// The entries of a transaction index that could not be written when the log was opened, as the disk was full. The next
    /// opening makes it.
    var unwrittenAborted: [AbortedTransaction] = []

    var baseOffset: Offset { name.baseOffset }

    /// Opens the files that a reader of the segment needs.
    func open(in directory: Directory) throws(LogError) -> OpenSegment {
        OpenSegment(
            log: try directory.open(name.log, .read), byteCount: byteCount, baseOffset: baseOffset,
            offsetIndex: try directory.openIfPresent(name.offsetIndex))
    }
}

/// A closed segment's open files, read without any lock.
struct OpenSegment: Sendable {
    let log: File
    let byteCount: Int
    let baseOffset: Offset
    let offsetIndex: File?

    /// The last entry of the index that ends at or before `offset`, found on disk by bisection; nil when there is none.
    func indexEntry(for offset: Offset, onlyCached: Bool = false) throws(LogError) -> OffsetIndexEntry? {
        guard let offsetIndex else { return nil }
        let wanted = Int32(clamping: offset - baseOffset)
        var low = 0
        var high = try offsetIndex.size() / OffsetIndexEntry.byteCount
        var found: OffsetIndexEntry?
        while low < high {
            let middle = (low + high) / 2
            var bytes = try offsetIndex.read(
                count: OffsetIndexEntry.byteCount, at: middle * OffsetIndexEntry.byteCount, onlyCached: onlyCached)
            guard let (relativeOffset, position) = bytes.readMultipleIntegers(as: (Int32, Int32).self) else {
                return nil
            }
            if relativeOffset <= wanted {
                found = OffsetIndexEntry(relativeOffset: relativeOffset, position: position)
                low = middle + 1
            } else {
                high = middle
            }
        }
        return found
    }

    /// Where to begin looking for `offset`: what the index says if the batch there bears it out, else the beginning.
    func position(for offset: Offset, onlyCached: Bool = false) throws(LogError) -> Int {
        guard let entry = try indexEntry(for: offset, onlyCached: onlyCached), entry.position >= 0,
            Int(entry.position) < byteCount
        else { return 0 }
        let bytes = try log.read(
            count: RecordBatchHeader.byteCount, at: Int(entry.position), onlyCached: onlyCached)
        guard let header = try? RecordBatchHeader(reading: bytes, at: bytes.readerIndex),
            header.lastOffset == baseOffset.advanced(by: Int64(entry.relativeOffset))
        else { return 0 }
        return Int(entry.position)
    }
}
