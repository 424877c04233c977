public import RecordBatch
internal import Synchronization

/// An append-only log of record batches: a directory of segments in Kafka's format. A synchronous value that knows no
/// threads; its owner keeps it behind a lock, and does outside that lock what may take long: `LogSlice.read`,
/// `TimestampSearch.find` and `SyncPoint.perform`.
public struct Log: ~Copyable {
    /// May be changed at any time: it applies to the next append, and `indexIntervalBytes` to the next segment.
    public var configuration: LogConfiguration
    /// What opening the log found and mended.
    public let recovery: RecoveryReport
    let directory: Directory
    var sealed: [SealedSegment]
    var active: ActiveSegment
    var sealedByteCount: Int
    /// What has been advanced to by `advanceLogStart`; before it nothing is read.
    var readableFrom: Offset
    let logStartFile: LogStartFile
    let progress: SyncProgress
    /// What is known of idempotent and transactional producers.
    public internal(set) var producers: ProducerStates
    var leaderEpochs: LeaderEpochs
    /// Whether a transaction was ever aborted, so that the list of transaction indexes is kept.
    var listsTransactionIndexes: Bool
    /// Files that are not known to be on disk: sealed segments', mostly.
    var unsynced: [UnsyncedSegment] = []
    /// Counts the changes of the directory's entries, each of which the next sync puts on disk.
    var directoryVersion = 0

    struct UnsyncedSegment {
        let nextOffset: Offset
        let files: [File]
    }

    /// Sealed segments that may wait for a sync; beyond that sealing one syncs them itself, so that a log whose owner
    /// never syncs holds few files open and recovers fast.
    private static let maximumUnsyncedSegments = 4

    /// Where in the active segment the last recovery point was made.
    private var recoveryPosition = 0
    /// Bytes between two recovery points within a segment, which is what the next start has to check after a crash.
    private static let recoveryIntervalBytes = 64 << 20

    /// Opens the log in `directory`, which is made when missing; recovers it when it was not closed.
    ///
    /// - Parameter initialOffset: where a new log begins.
    public init(
        directory path: String, configuration: LogConfiguration = LogConfiguration(), initialOffset: Offset = 0,
        fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(LogError) {
        let directory = try Directory.make(path, in: fileSystem)
        var recovery = LogRecovery(directory: directory, configuration: configuration)
        let recovered = try recovery.run(initialOffset: initialOffset)
        self.readableFrom = recovery.logStart
        self.logStartFile = LogStartFile(directory, written: recovery.logStart)
        self.directory = directory
        self.configuration = configuration
        self.recovery = recovery.report
        self.sealed = recovered.sealed
        self.active = recovered.active
        self.producers = recovered.producers
        self.leaderEpochs = recovered.leaderEpochs
        self.listsTransactionIndexes = recovered.listsTransactionIndexes
        self.sealedByteCount = recovered.sealed.reduce(0) { $0 + $1.byteCount }
        // Recovery has synced what was not known to be on disk.
        self.progress = SyncProgress(syncedOffset: active.nextOffset, cleanPoint: recovered.cleanPoint)
        self.directoryVersion = recovery.changedDirectory ? 1 : 0
        if recovery.report.scannedBytes > 0 || recovered.needsCleanPoint, let cleanPoint = cleanPoint() {
            // So that a crash soon after does not scan it all again; without it the next start is only slower.
            try? progress.write(cleanPoint, in: directory)
        }
        recoveryPosition = self.active.byteCount
    }

    /// The directory's path.
    public var path: String { directory.path }

    /// The first offset that can be read.
    public var logStartOffset: Offset { max(readableFrom, sealed.first?.baseOffset ?? active.baseOffset) }

    /// The offset that the next batch gets.
    public var logEndOffset: Offset { active.nextOffset }

    /// Bytes of all batches.
    public var byteCount: Int { sealedByteCount + active.byteCount }

    /// Bytes of the batches in the segment that takes appends.
    public var activeSegmentByteCount: Int { active.byteCount }

    public var segmentCount: Int { sealed.count + 1 }

    /// Everything before this offset is known to be on disk. Never shrinks; right after opening it is the log end offset.
    public var syncedOffset: Offset { progress.syncedOffset }

    /// The largest timestamp of any batch in the active segment (milliseconds); nil when it has none.
    var activeLargestTimestamp: Int64? { active.index.largest?.timestamp }

    /// Appends one batch, which gets the next offsets, by one write. When that fails the log is as it was before.
    ///
    /// The batch's own bytes are left alone; on disk they have the base offset that is returned, and `leaderEpoch`.
    ///
    /// - Parameter now: milliseconds since the epoch, when its producer was heard of; nil for the batch's own timestamp.
    /// - Returns: the batch's base offset.
    public mutating func append(
        _ batch: EncodedBatch, leaderEpoch: Int32, now: Int64? = nil
    ) throws(LogError) -> Offset {
        try progress.check()
        let base = logEndOffset
        guard base.advanced(by: Int64(batch.header.lastOffsetDelta) + 1) < Offset(.max) else {
            throw .offsetsExhausted(directory: path)
        }
        if active.isFull(for: batch.header, configuration) { try roll() }
        try active.append(batch, leaderEpoch: leaderEpoch)
        if leaderEpoch > leaderEpochs.latest { beginLeaderEpoch(leaderEpoch, at: base) }
        if batch.header.hasProducerID { noteProducer(of: batch, at: base, now: now ?? batch.header.maxTimestamp) }
        return base
    }

    /// Seals the active segment, if it has any batch, and begins a new one.
    public mutating func roll() throws(LogError) {
        try progress.check()
        guard active.byteCount > 0 else { return }
        let files = try active.finishIndexes()
        let next = try ActiveSegment(
            creating: SegmentName(active.nextOffset), in: directory, intervalBytes: configuration.indexIntervalBytes)
        unsynced.append(UnsyncedSegment(nextOffset: active.nextOffset, files: files))
        sealed.append(active.sealed())
        sealedByteCount += active.byteCount
        active = next
        recoveryPosition = 0
        directoryVersion += 1
        writeTransactionIndexList()
        // Only makes the next start faster.
        try? ProducerSnapshot.write(producers, at: active.baseOffset, in: directory)
        forgetSynced()
        if unsynced.count > Self.maximumUnsyncedSegments {
            try syncPoint().perform()
        }
    }

    /// Where the log ends now, to be synced outside the owner's lock.
    public mutating func syncPoint() -> SyncPoint {
        forgetSynced()
        var cleanPoint: CleanPoint?
        if !unsynced.isEmpty || active.byteCount - recoveryPosition >= Self.recoveryIntervalBytes {
            cleanPoint = self.cleanPoint()
            recoveryPosition = active.byteCount
        }
        return SyncPoint(
            endOffset: logEndOffset, files: unsynced.flatMap(\.files) + [active.file], directory: directory,
            directoryVersion: directoryVersion, cleanPoint: cleanPoint, progress: progress)
    }

    private mutating func forgetSynced() {
        let synced = progress.syncedOffset
        unsynced.removeAll { $0.nextOffset <= synced }
    }

    /// Syncs everything and notes that nothing needs recovery. The log takes no appends afterwards; slices can still be
    /// read. Closing again does nothing.
    public mutating func close() throws(LogError) {
        do throws(LogError) {
            try progress.check()
        } catch {
            if case .closed = error { return }
            throw error
        }
        if logEndOffset > syncedOffset { try syncPoint().perform() }
        // Everything is safe now; what follows only spares the next start some work.
        progress.close(with: .closed(directory: path))
        _ = try active.finishIndexes()
        // The index files are not synced: the recovery point's counts tell when a crash has spoiled them.
        if byteCount > 0, !progress.isDistrusted.load(ordering: .acquiring) {
            if let cleanPoint = cleanPoint() { try progress.write(cleanPoint, in: directory) }
        }
    }

    /// Has the next opening check every batch, because a reader has found damage.
    public func distrust() {
        progress.isDistrusted.store(true, ordering: .releasing)
        // Should that fail, reading will find the damage again.
        try? directory.remove(RecoveryPoint.fileName)
    }
}
