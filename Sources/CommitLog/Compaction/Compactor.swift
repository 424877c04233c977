public import RecordBatch

/// Compacts a log: of the records with one key only the last stays (Kafka's `cleanup.policy=compact`). Runs on a thread that
/// may block and takes the owner's lock for moments only; one at a time for each log. Appends, reads and retention go
/// on meanwhile.
public enum Compactor {
    /// Compacts what has not been compacted, if that is a large enough share; the active segment is left alone, and so is
    /// everything from the first transaction on that has not ended.
    ///
    /// Records without a key go: whoever appends should refuse them. Tombstones (records without a value) and
    /// transaction markers stay for the policy's time. Offsets and timestamps of what stays do not change. Where
    /// nothing is left of a producer's last batch, or of a segment, a batch without records stays.
    ///
    /// - Parameters:
    ///   - now: milliseconds since the epoch.
    ///   - upTo: segments that go beyond this offset are left alone: the high watermark, where there is one.
    ///   - isCancelled: asked often; segments that are done by then stay done.
    ///   - withLog: calls its argument with the log, under the owner's lock.
    /// - Returns: nil when there was nothing to do.
    public static func run(
        _ policy: CompactionPolicy, now: Int64, upTo: Offset? = nil, isCancelled: () -> Bool = { false },
        withLog: (_ body: (inout Log) throws(LogError) -> Void) throws(LogError) -> Void
    ) throws(LogError) -> CompactionReport? {
        var report: CompactionReport?
        do throws(LogError) {
            try run(policy, now, upTo, isCancelled, withLog, &report)
        } catch {
            // Retention has removed a segment meanwhile.
            guard case .file(.open, _, let reason) = error, reason.isMissing else { throw error }
        }
        return report
    }

    private static func run(
        _ policy: CompactionPolicy, _ now: Int64, _ upTo: Offset?, _ isCancelled: () -> Bool,
        _ withLog: (_ body: (inout Log) throws(LogError) -> Void) throws(LogError) -> Void,
        _ report: inout CompactionReport?
    ) throws(LogError) {
        while !isCancelled() {
            var plan: CompactionPlan?
            var syncPoint: SyncPoint?
            try withLog { (log) throws(LogError) in
                plan = try log.compactionPlan()
                syncPoint = log.syncPoint()
            }
            guard let plan, let syncPoint else { break }
            guard
                var pass = try CompactionPass(plan, policy, now: now, upTo: upTo, isFirst: report == nil)
            else { break }
            // Nothing old goes before what supersedes it is on disk.
            try syncPoint.perform()
            let isDone = try run(&pass, isCancelled, withLog)
            var sum = report ?? CompactionReport()
            sum.add(pass.report)
            report = sum
            guard isDone else { break }
            try OffsetFile.cleaner.write(pass.end, in: plan.directory)
            if pass.isComplete { break }
        }
    }

    /// - Returns: false when it was cancelled, or the log has changed meanwhile.
    private static func run(
        _ pass: inout CompactionPass, _ isCancelled: () -> Bool,
        _ withLog: (_ body: (inout Log) throws(LogError) -> Void) throws(LogError) -> Void
    ) throws(LogError) -> Bool {
        for group in pass.groups {
            if isCancelled() { return false }
            guard let cleaned = try pass.clean(group, isCancelled: isCancelled) else {
                if isCancelled() { return false }
                continue
            }
            var removal: SegmentRemoval?
            do throws(LogError) {
                try withLog { (log) throws(LogError) in removal = try log.install(cleaned) }
            } catch {
                cleaned.discard()
                throw error
            }
            guard let removal else {
                cleaned.discard()
                return false
            }
            try removal.perform()
        }
        return true
    }
}

extension CompactionReport {
    mutating func add(_ pass: CompactionReport) {
        passes += 1
        bytesRead += pass.bytesRead
        bytesRemoved += pass.bytesRemoved
        recordsRemoved += pass.recordsRemoved
        recordsWithoutKey += pass.recordsWithoutKey
    }
}

extension Log {
    /// Everything a compaction pass needs to know; nil when there are no sealed segments.
    func compactionPlan() throws(LogError) -> CompactionPlan? {
        try progress.check()
        guard !sealed.isEmpty else { return nil }
        return CompactionPlan(
            directory: directory, configuration: configuration, sealed: sealed, active: active.file,
            activeByteCount: active.byteCount, activeOffsets: active.baseOffset..<active.nextOffset,
            logStart: logStartOffset)
    }

    /// Puts a cleaned segment in the place of those it was made from. When that fails the log is as it was before.
    ///
    /// - Returns: the old files, to be removed outside the lock; nil when the log has changed meanwhile.
    mutating func install(_ cleaned: CleanedSegment) throws(LogError) -> SegmentRemoval? {
        try progress.check()
        guard let first = sealed.firstIndex(where: { $0.name == cleaned.result.name }),
            sealed[first...].prefix(cleaned.sources.count) == cleaned.sources[...]
        else { return nil }
        var removal = SegmentRemoval(directory: directory, isReplacement: true)
        let files = Array(cleaned.result.name.all.reversed())
        var moves = files.map { ($0 + CleanedSegment.cleanedSuffix, $0 + CleanedSegment.swapSuffix) }
        for source in cleaned.sources {
            // What was aborted is gone, and what the producers' snapshots say of it no longer fits the log.
            for name in source.name.all + [source.name.transactionIndex, source.name.snapshot] {
                moves.append((name, name + SegmentRemoval.suffix))
                removal.names.append(name + SegmentRemoval.suffix)
            }
        }
        moves += files.map { ($0 + CleanedSegment.swapSuffix, $0) }
        try rename(moves)
        removal.segmentCount = cleaned.sources.count
        removal.byteCount = cleaned.sources.reduce(0) { $0 + $1.byteCount }
        sealed.replaceSubrange(first..<first + cleaned.sources.count, with: [cleaned.result])
        sealedByteCount += cleaned.result.byteCount - removal.byteCount
        directoryVersion += 1
        writeTransactionIndexList()
        return removal
    }

    /// Renames one file after the other. After a failure those before it have their old names again; if that fails,
    /// too, the log is fenced, and its next opening ends what was begun.
    private func rename(_ moves: [(old: String, new: String)]) throws(LogError) {
        for (index, move) in moves.enumerated() {
            do throws(LogError) {
                try directory.rename(move.old, to: move.new)
            } catch {
                // An index file or snapshot may be missing; the next opening makes it anew where it is needed.
                let mayBeMissing = move.old.hasSuffix("index") || move.old.hasSuffix(SegmentName.snapshotSuffix)
                if case .file(_, _, let reason) = error, reason.isMissing, mayBeMissing { continue }
                do throws(LogError) {
                    for done in moves[..<index].reversed() {
                        do throws(LogError) {
                            try directory.rename(done.new, to: done.old)
                        } catch {
                            if case .file(_, _, let reason) = error, reason.isMissing { continue }
                            throw error
                        }
                    }
                } catch {
                    progress.close(with: .fenced(directory: path, reason: error.description))
                }
                throw error
            }
        }
    }
}
