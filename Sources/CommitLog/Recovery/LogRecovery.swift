internal import NIOCore
internal import RecordBatch

/// Opens what is in a log's directory: keeps every intact batch, never one that is damaged, and makes the indexes anew
/// where they do not fit. Checks the batches after the recovery point one by one. Lives within `Log.init`.
struct LogRecovery {
    let directory: Directory
    let configuration: LogConfiguration
    var report = RecoveryReport()
    /// Whether files were made or removed, so that the directory is to be synced.
    var changedDirectory = false
    /// The log start offset that was written down; 0 when there is none.
    private(set) var logStart: Offset = 0
    /// Where the first damage was cut out: what was written down of the producers behind it no longer fits.
    var changedFrom: Offset?
    /// Where there are snapshots of producers, and which segments have transaction indexes.
    var snapshots: [Offset] = []
    private(set) var transactionIndexes: Set<SegmentName> = []

    /// What is in the directory.
    struct Recovered {
        var sealed: [SealedSegment]
        var active: ActiveSegment
        var producers: ProducerStates
        var leaderEpochs = LeaderEpochs()
        /// Whether there is a list of transaction indexes, or should be.
        var listsTransactionIndexes = false
        /// The one that is on disk.
        var cleanPoint: RecoveryPoint?
        /// Whether a new one would spare the next start some work.
        var needsCleanPoint = false
    }
    private var wasCompacted = false

    /// A segment that has been checked to its end.
    struct Checked {
        let name: SegmentName
        let file: File
        let byteCount: Int
        let nextOffset: Offset
        let index: SegmentIndex
    }

    init(directory: Directory, configuration: LogConfiguration) {
        self.directory = directory
        self.configuration = configuration
    }

    /// - Parameter initialOffset: where the log begins if there is none yet.
    mutating func run(initialOffset: Offset) throws(LogError) -> Recovered {
        try finishCompaction()
        let names = try sweptNames()
        let point = try RecoveryPoint.read(in: directory)
        try readOffsetFiles()
        var (sealed, active) = try open(names, point, initialOffset: max(initialOffset, logStart))
        let end = max(point?.offset ?? 0, logStart)
        if end > active.nextOffset { report.lostOffsets = active.nextOffset..<end }
        if logStart > active.nextOffset { active = try begin(after: active, &sealed) }
        var recovered = Recovered(
            sealed: sealed, active: active, producers: ProducerStates(limit: configuration.maximumProducers),
            cleanPoint: point)
        try restoreProducers(&recovered)
        try restoreLeaderEpochs(&recovered)
        return recovered
    }

    private mutating func readOffsetFiles() throws(LogError) {
        for file in OffsetFile.all {
            switch try file.read(in: directory) {
            case .missing: break
            case .offset(let offset): if file == .logStart { logStart = offset } else { wasCompacted = true }
            case .damaged:
                report.ignoredFiles.append(directory.path(of: file.name))
                try directory.remove(file.name)
            }
        }
    }

    /// A segment at the log start offset, for a log that ends before it because its last batches were not on disk:
    /// what is appended must not get offsets that nobody may read.
    private mutating func begin(
        after active: ActiveSegment, _ sealed: inout [SealedSegment]
    ) throws(LogError) -> ActiveSegment {
        var active = active
        changedDirectory = true
        if active.byteCount > 0 {
            for file in try active.finishIndexes() { try file.sync() }
            sealed.append(active.sealed())
            return try create(SegmentName(logStart))
        }
        let next = try create(SegmentName(logStart))
        for name in active.name.all { try directory.remove(name) }
        return next
    }

    private mutating func open(
        _ names: [SegmentName], _ point: RecoveryPoint?, initialOffset: Offset
    ) throws(LogError) -> ([SealedSegment], ActiveSegment) {
        guard let last = names.last else {
            changedDirectory = true
            return ([], try create(SegmentName(initialOffset)))
        }
        var sealed: [SealedSegment] = []
        for (name, next) in zip(names, names.dropFirst()) {
            if let point, name.baseOffset < point.segment, next.baseOffset <= point.segment,
                let trusted = try trustedSegment(name, before: next.baseOffset)
            {
                sealed.append(trusted)
            } else {
                sealed += try seal(try check(name, bound: next.baseOffset))
            }
            noteGap(from: max(sealed.last?.nextOffset ?? 0, name.baseOffset), to: next)
        }
        var checked: [Checked]
        if let point, let scan = try trustedPart(of: last, point) {
            checked = try check(last, bound: nil, goingOnWith: scan)
        } else {
            checked = try check(last, bound: nil)
        }
        guard let end = checked.popLast() else {
            changedDirectory = true
            return (sealed, try create(last))
        }
        sealed += try seal(checked)
        return (sealed, try activate(end))
    }

    /// A segment ends where the next begins, but for damage that was cut out, also earlier, and for what another program
    /// compacted.
    private mutating func noteGap(from end: Offset, to next: SegmentName) {
        let end = max(end, logStart)
        guard !wasCompacted, end < next.baseOffset else { return }
        report.missingOffsets.append(end..<next.baseOffset)
    }

    private func create(_ name: SegmentName) throws(LogError) -> ActiveSegment {
        try ActiveSegment(creating: name, in: directory, intervalBytes: configuration.indexIntervalBytes)
    }

    /// The segments in the directory by offset, after removing what an earlier crash left: temporary files, and indexes
    /// without a log.
    private mutating func sweptNames() throws(LogError) -> [SegmentName] {
        let files = try directory.names()
        let names = Set(files.compactMap { SegmentName(fileName: $0, suffix: SegmentName.logSuffix) })
        for file in files {
            let index =
                SegmentName(fileName: file, suffix: SegmentName.offsetIndexSuffix)
                ?? SegmentName(fileName: file, suffix: SegmentName.timeIndexSuffix)
                ?? SegmentName(fileName: file, suffix: SegmentName.transactionIndexSuffix)
            let isOrphan = index.map { !names.contains($0) } ?? false
            if isOrphan || Self.isTemporary(file) || SegmentName.isRetired(file) {
                try directory.remove(file)
            } else if let name = SegmentName(fileName: file, suffix: SegmentName.snapshotSuffix) {
                snapshots.append(name.baseOffset)
            } else if let name = SegmentName(fileName: file, suffix: SegmentName.transactionIndexSuffix) {
                transactionIndexes.insert(name)
            }
        }
        snapshots.sort()
        return names.sorted { $0.baseOffset < $1.baseOffset }
    }

    /// Whether a file is one of ours that was being written: others' files are left alone.
    private static func isTemporary(_ file: String) -> Bool {
        guard file.hasSuffix(AtomicFile.temporarySuffix) else { return false }
        let target = String(file.dropLast(AtomicFile.temporarySuffix.count))
        return [RecoveryPoint.fileName, LeaderEpochs.fileName, TransactionIndexList.fileName].contains(target)
            || OffsetFile.all.contains { $0.name == target }
            || SegmentName(fileName: target, suffix: SegmentName.logSuffix) != nil
    }

    // MARK: Checking

    /// Checks a segment batch by batch, cuts damage out, and splits the segment where intact batches follow damage.
    ///
    /// - Returns: the segment, and those split off it; the last one may be empty.
    private mutating func check(
        _ name: SegmentName, bound: Offset?, goingOnWith part: SegmentScan? = nil
    ) throws(LogError) -> [Checked] {
        var checked: [Checked] = []
        var name = name
        var part = part
        while true {
            var scan: SegmentScan
            if let trusted = part { scan = trusted } else { scan = try beginScan(name, bound: bound) }
            part = nil
            let file = scan.reader.file
            let start = scan.position
            let damage = try scan.run()
            report.scannedBytes += scan.position - start
            checked.append(
                Checked(
                    name: name, file: file, byteCount: scan.position, nextOffset: scan.nextOffset, index: scan.index))
            var next: SegmentName?
            if damage != nil { changedFrom = min(changedFrom ?? scan.nextOffset, scan.nextOffset) }
            if let damage { next = try cut(damage, outOf: name, scan, isLast: bound == nil) }
            if scan.position > start || damage != nil { try file.sync() }
            guard let next else { return checked }
            name = next
        }
    }

    private func beginScan(_ name: SegmentName, bound: Offset?) throws(LogError) -> SegmentScan {
        let file = try directory.open(name.log, .readWrite)
        return SegmentScan(
            file, byteCount: try file.size(), baseOffset: name.baseOffset, bound: bound,
            intervalBytes: configuration.indexIntervalBytes)
    }

    // MARK: Indexes

    /// Makes checked segments sealed ones, with their indexes on disk. Empty ones go.
    private mutating func seal(_ checked: [Checked]) throws(LogError) -> [SealedSegment] {
        var sealed: [SealedSegment] = []
        for segment in checked {
            guard segment.byteCount > 0 else {
                for name in segment.name.all { try directory.remove(name) }
                changedDirectory = true
                continue
            }
            var index = segment.index
            index.addLargestTimestamp()
            if try !isOnDisk(index, of: segment) {
                try writeIfThereIsRoom(index, of: segment.name)
                changedDirectory = true
            }
            sealed.append(
                SealedSegment(
                    name: segment.name, byteCount: segment.byteCount, nextOffset: segment.nextOffset,
                    largestTimestamp: index.largest?.timestamp))
        }
        return sealed
    }

    /// On a full disk the log is opened all the same: without its index a segment is searched from its beginning, until the
    /// next opening makes it.
    private func writeIfThereIsRoom(_ index: SegmentIndex, of name: SegmentName) throws(LogError) {
        do throws(LogError) {
            let offsets = try directory.open(name.offsetIndex, .replace)
            try offsets.write(index.encodedOffsets(), at: 0)
            let times = try directory.open(name.timeIndex, .replace)
            try times.write(index.encodedTimes(), at: 0)
            try offsets.sync()
            try times.sync()
        } catch {
            guard error.isDiskFull else { throw error }
            try directory.remove(name.offsetIndex)
            try directory.remove(name.timeIndex)
        }
    }

    private mutating func activate(_ segment: Checked) throws(LogError) -> ActiveSegment {
        try ActiveSegment(
            resuming: segment.name, file: segment.file, in: directory, byteCount: segment.byteCount,
            nextOffset: segment.nextOffset, index: segment.index,
            indexIsOnDisk: try isOnDisk(segment.index, of: segment))
    }

    /// Whether the index files hold exactly `index`. Reports them when they are missing or make no sense, but not when
    /// they are merely behind or ahead, as after any crash.
    private mutating func isOnDisk(_ index: SegmentIndex, of segment: Checked) throws(LogError) -> Bool {
        let offsets = try content(segment.name.offsetIndex)
        let times = try content(segment.name.timeIndex)
        if offsets == index.encodedOffsets(), times == index.encodedTimes() { return true }
        let makesSense =
            try indexEntries(segment.name).map { offsets, times in
                SegmentIndex(
                    baseOffset: segment.name.baseOffset, intervalBytes: configuration.indexIntervalBytes,
                    offsets: offsets, times: times, logBytes: .max) != nil
            } ?? false
        if !makesSense, segment.byteCount > 0 {
            report.rebuiltIndexes += [segment.name.offsetIndex, segment.name.timeIndex].map(directory.path(of:))
        }
        return false
    }
}
