internal import NIOCore
internal import RecordBatch

/// The segment that takes appends: the only one with an open file and its indexes in memory. A value owned by the log.
struct ActiveSegment {
    let name: SegmentName
    let file: File
    private let directory: Directory
    /// Bytes of whole batches; the file can be longer for a moment after a failed write.
    private(set) var byteCount: Int
    /// The offset that the next batch gets.
    private(set) var nextOffset: Offset
    private(set) var index: SegmentIndex
    /// The first batch's largest timestamp, from which the segment's age counts.
    private var firstTimestamp: Int64?
    /// Decides the segment's share of the jitter of its age; the same after a restart.
    private let jitterSeed: UInt64
    /// Index entries that are in the files already.
    private var writtenOffsets: Int
    private var writtenTimes: Int
    /// The transactions whose abort markers are in it, in their order.
    private(set) var aborted: [AbortedTransaction] = []
    private var writtenAborted = 0
    /// Whether a failed write may have left bytes after `byteCount`.
    private var hasTornTail = false

    /// Index entries gather up to this many before they are written: a crash costs no more than scanning again.
    private static let indexEntriesPerWrite = 32
    /// Aborted transactions of one segment, which are in memory while it is active.
    private static let maximumAborted = 65_536

    var baseOffset: Offset { name.baseOffset }

    /// A new and empty segment. Files of that name, left over from an attempt that failed, are emptied.
    init(creating name: SegmentName, in directory: Directory, intervalBytes: Int) throws(LogError) {
        _ = try directory.open(name.offsetIndex, .replace)
        _ = try directory.open(name.timeIndex, .replace)
        self.file = try directory.open(name.log, .replace)
        self.name = name
        self.directory = directory
        self.jitterSeed = Self.jitterSeed(name, directory)
        self.byteCount = 0
        self.nextOffset = name.baseOffset
        self.index = SegmentIndex(baseOffset: name.baseOffset, intervalBytes: intervalBytes)
        self.writtenOffsets = 0
        self.writtenTimes = 0
    }

    /// A segment that was on disk and has been checked.
    ///
    /// - Parameter indexIsOnDisk: whether the index files hold exactly `index`; otherwise they are written anew.
    init(
        resuming name: SegmentName, file: File, in directory: Directory, byteCount: Int, nextOffset: Offset,
        index: SegmentIndex, indexIsOnDisk: Bool
    ) throws(LogError) {
        self.name = name
        self.file = file
        self.directory = directory
        self.jitterSeed = Self.jitterSeed(name, directory)
        self.byteCount = byteCount
        self.nextOffset = nextOffset
        self.index = index
        self.writtenOffsets = indexIsOnDisk ? index.offsets.count : 0
        self.writtenTimes = indexIsOnDisk ? index.times.count : 0
        if byteCount > 0 {
            let bytes = try file.read(count: RecordBatchHeader.byteCount, at: 0)
            firstTimestamp = (try? RecordBatchHeader(reading: bytes, at: bytes.readerIndex))?.maxTimestamp
        }
        if !indexIsOnDisk { try writeIndexesIfThereIsRoom() }
    }

    /// On a full disk the log is opened all the same, and the entries are written with later ones.
    private mutating func writeIndexesIfThereIsRoom() throws(LogError) {
        do throws(LogError) {
            try writeIndexes(.replace)
        } catch {
            guard error.isDiskFull else { throw error }
            (writtenOffsets, writtenTimes) = (0, 0)
        }
    }

    /// A number that differs between segments and between logs (FNV-1a of what names them).
    private static func jitterSeed(_ name: SegmentName, _ directory: Directory) -> UInt64 {
        directory.path(of: name.log).utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }

    /// Whether `batch` must go to a new segment.
    func isFull(for batch: RecordBatchHeader, _ configuration: LogConfiguration) -> Bool {
        guard byteCount > 0 else { return false }
        if byteCount + batch.totalByteCount > configuration.segmentBytes { return true }
        let lastOffset = nextOffset.advanced(by: Int64(batch.lastOffsetDelta))
        if lastOffset - baseOffset > Int64(Int32.max) || aborted.count >= Self.maximumAborted { return true }
        if index.isFull(at: configuration.indexBytes) { return true }
        return isAged(at: batch.maxTimestamp, configuration)
    }

    /// Whether `now` (milliseconds) is further from the first batch's timestamp than a segment may grow old.
    func isAged(at now: Int64, _ configuration: LogConfiguration) -> Bool {
        guard byteCount > 0, let firstTimestamp, firstTimestamp >= 0,
            let age = configuration.segmentAgeMilliseconds(jitteredBy: jitterSeed)
        else { return false }
        let (elapsed, overflow) = now.subtractingReportingOverflow(firstTimestamp)
        return !overflow && elapsed > age
    }

    /// Writes one batch at the end, with base offset and leader epoch set: one system call. After an error the segment
    /// is as it was before.
    mutating func append(_ batch: EncodedBatch, leaderEpoch: Int32) throws(LogError) {
        if hasTornTail {
            try file.truncate(to: byteCount)
            hasTornTail = false
        }
        let base = nextOffset
        do throws(LogError) {
            try write(batch, baseOffset: base, leaderEpoch: leaderEpoch)
        } catch {
            hasTornTail = true
            if (try? file.truncate(to: byteCount)) != nil { hasTornTail = false }
            throw error
        }
        index.add(batch.header, baseOffset: base, at: byteCount)
        if firstTimestamp == nil { firstTimestamp = batch.header.maxTimestamp }
        byteCount += batch.header.totalByteCount
        nextOffset = base.advanced(by: Int64(batch.header.lastOffsetDelta) + 1)
        if index.offsets.count - writtenOffsets >= Self.indexEntriesPerWrite {
            // The batch is in the log whatever happens to its index, which the next write or the next start mends.
            _ = try? writeIndexes(.readWrite)
        }
    }

    /// The batch's first 16 bytes are written from a copy, so that the caller's buffer, often a slice of a whole
    /// request, need not be copied to set them.
    private func write(_ batch: EncodedBatch, baseOffset: Offset, leaderEpoch: Int32) throws(LogError) {
        try batch.bytes.withUnsafeReadableBytes { (bytes) throws(LogError) in
            var head = (
                UInt64(bitPattern: baseOffset.rawValue).bigEndian,
                UInt64(UInt32(bitPattern: batch.header.batchLength)) << 32 | UInt64(UInt32(bitPattern: leaderEpoch))
            )
            head.1 = head.1.bigEndian
            try withUnsafeBytes(of: &head) { (head) throws(LogError) in
                try file.write(head, UnsafeRawBufferPointer(rebasing: bytes[head.count...]), at: byteCount)
            }
        }
    }

    /// Writes the index entries that are not in the files yet.
    ///
    /// - Returns: the index files, for syncing.
    @discardableResult
    private mutating func writeIndexes(_ access: FileAccess) throws(LogError) -> [File] {
        let offsets = try directory.open(name.offsetIndex, access)
        try offsets.write(
            index.encodedOffsets(from: writtenOffsets), at: writtenOffsets * OffsetIndexEntry.byteCount)
        writtenOffsets = index.offsets.count
        let times = try directory.open(name.timeIndex, access)
        try times.write(index.encodedTimes(from: writtenTimes), at: writtenTimes * TimeIndexEntry.byteCount)
        writtenTimes = index.times.count
        guard !aborted.isEmpty else { return [offsets, times] }
        let transactions = try directory.open(name.transactionIndex, writtenAborted == 0 ? .replace : .readWrite)
        if writtenAborted < aborted.count {
            try transactions.write(
                AbortedTransaction.encode(aborted[writtenAborted...]),
                at: writtenAborted * AbortedTransaction.byteCount)
            writtenAborted = aborted.count
        }
        return [offsets, times, transactions]
    }

    /// A transaction's abort marker has been appended. It goes to the index with the next entries of the others: what a
    /// crash takes is found in the log again.
    mutating func note(_ transaction: AbortedTransaction) {
        aborted.append(transaction)
    }

    /// - Parameter isOnDisk: whether the transaction index holds exactly these; otherwise it is written anew.
    mutating func restore(_ transactions: [AbortedTransaction], isOnDisk: Bool) throws(LogError) {
        aborted = transactions
        writtenAborted = isOnDisk ? transactions.count : 0
        if transactions.isEmpty, !isOnDisk { try directory.remove(name.transactionIndex) }
    }

    /// Ends the indexes and writes them out, before the segment is sealed or the log closed.
    ///
    /// - Returns: the segment's files, for syncing.
    mutating func finishIndexes() throws(LogError) -> [File] {
        index.addLargestTimestamp()
        return [file] + (try writeIndexes(.readWrite))
    }

    /// The segment's end as a recovery point, once everything before it is on disk; nil when the indexes cannot be
    /// written out.
    mutating func recoveryPoint() -> RecoveryPoint? {
        guard (try? writeIndexes(.readWrite)) != nil else { return nil }
        return RecoveryPoint(
            segment: baseOffset, position: byteCount, offset: nextOffset, offsetEntries: writtenOffsets,
            timeEntries: writtenTimes)
    }

    func sealed() -> SealedSegment {
        SealedSegment(
            name: name, byteCount: byteCount, nextOffset: nextOffset, largestTimestamp: index.largest?.timestamp,
            aborted: TransactionIndexMark(of: aborted))
    }
}
