internal import NIOCore
internal import RecordBatch

/// The log as a compaction pass sees it. Taken under the owner's lock.
struct CompactionPlan: Sendable {
    let directory: Directory
    let configuration: LogConfiguration
    let sealed: [SealedSegment]
    let active: File
    let activeByteCount: Int
    let activeOffsets: Range<Offset>
    let logStart: Offset
}

/// One pass over a log: learns the latest offset of as many keys as fit into memory, then rewrites the segments up to
/// there without what they supersede. Works on files only, outside the owner's lock, on a thread that may block.
struct CompactionPass {
    private let plan: CompactionPlan
    private let policy: CompactionPolicy
    private let now: Int64
    private let survey: CompactionSurvey
    private var map: OffsetMap
    /// Keys count up to this offset: everything from it on stays.
    private(set) var end: Offset
    /// Whether the pass went as far as there is anything to compact.
    private(set) var isComplete: Bool
    /// The segments to be rewritten, as they are to be merged.
    let groups: [[SealedSegment]]
    private(set) var report = CompactionReport()
    /// Producers with a transaction of which a batch was seen, up to its marker.
    private var openTransactions: Set<Int64> = []

    /// - Parameter isFirst: whether the dirty ratio decides; a later pass finishes what an earlier one began.
    /// - Returns: nil when there is nothing to do.
    init?(
        _ plan: CompactionPlan, _ policy: CompactionPolicy, now: Int64, upTo: Offset?, isFirst: Bool
    ) throws(LogError) {
        let bound = min(upTo ?? Offset(.max), Self.firstTooYoung(plan, policy, now: now))
        let firstDirty = try Self.firstDirtyOffset(plan)
        let candidates = plan.sealed.prefix { $0.nextOffset <= bound }
        let isOverdue = try Self.isOverdue(candidates, firstDirty, plan, policy, now: now)
        let threshold = isFirst && !isOverdue ? policy : nil
        guard Self.isWorthwhile(candidates, firstDirty, threshold) else { return nil }
        var survey = CompactionSurvey(activeSince: now &- policy.producerExpirationMilliseconds)
        for segment in plan.sealed {
            let file = try plan.directory.open(segment.name.log, .read)
            try survey.add(
                BatchReader(file, end: segment.byteCount), offsets: segment.baseOffset..<segment.nextOffset)
        }
        try survey.add(BatchReader(plan.active, end: plan.activeByteCount), offsets: plan.activeOffsets)
        let stable = min(bound, survey.firstUnstableOffset ?? bound)
        let cleanable = plan.sealed.prefix { $0.nextOffset <= stable }
        guard let last = cleanable.last, Self.isWorthwhile(cleanable, firstDirty, threshold) else { return nil }
        self.plan = plan
        self.policy = policy
        self.now = now
        self.survey = survey
        let records = max(1, last.nextOffset - firstDirty)
        map = OffsetMap(capacity: min(OffsetMap.capacity(forBytes: policy.mapBytes), Int(records)))
        end = last.nextOffset
        isComplete = true
        for segment in cleanable where segment.nextOffset > firstDirty {
            let full = try Self.learn(segment, from: firstDirty, &map, survey, plan, policy)
            guard let full else { continue }
            end = full
            isComplete = false
            break
        }
        groups = Self.groups(cleanable.prefix { [end] in $0.baseOffset < end }, plan.configuration)
    }

    /// The base offset of the first segment with a record that is too young to be compacted.
    private static func firstTooYoung(
        _ plan: CompactionPlan, _ policy: CompactionPolicy, now: Int64
    ) -> Offset {
        guard policy.minimumLagMilliseconds > 0 else { return Offset(.max) }
        let young = plan.sealed.first { ($0.largestTimestamp ?? .min) > now &- policy.minimumLagMilliseconds }
        return young?.baseOffset ?? Offset(.max)
    }

    /// Where the last pass ended; the beginning when that is not known or cannot be.
    private static func firstDirtyOffset(_ plan: CompactionPlan) throws(LogError) -> Offset {
        guard case .offset(let offset) = try OffsetFile.cleaner.read(in: plan.directory), let last = plan.sealed.last,
            offset <= last.nextOffset
        else { return plan.logStart }
        return max(offset, plan.logStart)
    }

    /// Whether the first record that was not compacted has waited longer than any may.
    private static func isOverdue(
        _ segments: ArraySlice<SealedSegment>, _ firstDirty: Offset, _ plan: CompactionPlan, _ policy: CompactionPolicy,
        now: Int64
    ) throws(LogError) -> Bool {
        guard let limit = policy.maximumLagMilliseconds,
            let dirty = segments.first(where: { $0.nextOffset > firstDirty })
        else { return false }
        let file = try plan.directory.open(dirty.name.log, .read)
        let reader = BatchReader(file, end: dirty.byteCount, windowBytes: BatchReader.narrowWindowBytes)
        let (age, overflow) = now.subtractingReportingOverflow(try reader.intactHeader(at: 0).maxTimestamp)
        return !overflow && age > limit
    }

    /// Whether enough of the segments is dirty; without a policy, whether any is.
    private static func isWorthwhile(
        _ segments: ArraySlice<SealedSegment>, _ firstDirty: Offset, _ policy: CompactionPolicy?
    ) -> Bool {
        let total = segments.reduce(0) { $0 + $1.byteCount }
        let dirty = segments.reduce(0) { $0 + ($1.nextOffset > firstDirty ? $1.byteCount : 0) }
        guard let policy, total > 0 else { return dirty > 0 }
        return Double(dirty) >= policy.minimumDirtyRatio * Double(total)
            && (dirty > 0 || policy.minimumDirtyRatio <= 0)
    }

    /// Enters a segment's keys into the map.
    ///
    /// - Returns: the offset of the first record that did not fit in.
    private static func learn(
        _ segment: SealedSegment, from firstDirty: Offset, _ map: inout OffsetMap, _ survey: CompactionSurvey,
        _ plan: CompactionPlan, _ policy: CompactionPolicy
    ) throws(LogError) -> Offset? {
        let file = try plan.directory.open(segment.name.log, .read)
        let reader = BatchReader(file, end: segment.byteCount)
        var position = 0
        var full: Offset?
        while position < segment.byteCount, full == nil {
            let header = try reader.intactHeader(at: position)
            if header.lastOffset >= firstDirty, !header.isControl, header.recordCount > 0, !survey.isAborted(header) {
                let batch = try Self.batch(file, header, at: position)
                try Self.reading(file, position) {
                    try batch.forEachRecord(maximumDecompressedBytes: policy.maximumDecompressedBytes) { record in
                        guard full == nil, record.offset >= firstDirty, let key = record.key else { return }
                        if !map.set(key, record.offset) { full = record.offset }
                    }
                }
            }
            position += header.totalByteCount
        }
        return full
    }

    /// Neighbours that together stay within a segment's size.
    private static func groups(
        _ segments: ArraySlice<SealedSegment>, _ configuration: LogConfiguration
    ) -> [[SealedSegment]] {
        var groups: [[SealedSegment]] = []
        var bytes = 0
        for segment in segments {
            if let first = groups.last?.first, bytes + segment.byteCount <= configuration.segmentBytes,
                segment.nextOffset - first.baseOffset <= Int64(Int32.max)
            {
                groups[groups.count - 1].append(segment)
                bytes += segment.byteCount
            } else {
                groups.append([segment])
                bytes = segment.byteCount
            }
        }
        return groups
    }

    // MARK: Rewriting

    /// Writes what stays of neighbouring segments as one segment.
    ///
    /// - Returns: nil when it would be no different, or when it was cancelled.
    mutating func clean(
        _ sources: [SealedSegment], isCancelled: () -> Bool
    ) throws(LogError) -> CleanedSegment? {
        guard let first = sources.first, let last = sources.last else { return nil }
        do throws(LogError) {
            return try write(sources, first, last, isCancelled)
        } catch {
            // On a full disk above all.
            CleanedSegment(sources: sources, result: first, directory: plan.directory).discard()
            throw error
        }
    }

    private mutating func write(
        _ sources: [SealedSegment], _ first: SealedSegment, _ last: SealedSegment, _ isCancelled: () -> Bool
    ) throws(LogError) -> CleanedSegment? {
        var writer = try CleanedSegmentWriter(
            first.name, in: plan.directory, intervalBytes: plan.configuration.indexIntervalBytes)
        var isChanged = sources.count > 1
        for source in sources {
            let file = try plan.directory.open(source.name.log, .read)
            let reader = BatchReader(file, end: source.byteCount)
            var position = 0
            while position < source.byteCount {
                guard !isCancelled() else {
                    CleanedSegment(sources: sources, result: first, directory: plan.directory).discard()
                    return nil
                }
                let header = try reader.intactHeader(at: position)
                let batch = try Self.batch(file, header, at: position)
                var cleaned = try clean(batch, file, position)
                // The group's last batch stays, so that a segment always says up to where it reaches.
                let isLast = header.nextOffset == last.nextOffset
                if cleaned == nil, isLast || survey.isLastOfProducer(header) {
                    cleaned = header.recordCount == 0 ? batch : batch.emptied()
                }
                report.recordsRemoved += Int(header.recordCount) - Int(cleaned?.header.recordCount ?? 0)
                isChanged = isChanged || cleaned?.header != header
                if let cleaned { try writer.append(cleaned) }
                position += header.totalByteCount
            }
            report.bytesRead += source.byteCount
        }
        let cleaned = try writer.finish(replacing: sources)
        if !isChanged {
            cleaned.discard()
            return nil
        }
        report.bytesRemoved += sources.reduce(0) { $0 + $1.byteCount } - cleaned.result.byteCount
        return cleaned
    }

    /// What stays of a batch; nil when nothing does.
    private mutating func clean(_ batch: EncodedBatch, _ file: File, _ position: Int) throws(LogError) -> EncodedBatch?
    {
        let header = batch.header
        let horizonIsOver = header.hasDeleteHorizon && header.baseTimestamp <= now
        if header.isControl {
            // A marker goes once no batch of its transaction is left, and consumers have had time to see it.
            let isNeeded = openTransactions.remove(header.producerID) != nil
            if !isNeeded, horizonIsOver { return nil }
        } else if header.isTransactional {
            openTransactions.insert(header.producerID)
            if survey.isAborted(header) { return nil }
        }
        if header.recordCount == 0 { return nil }
        var compacted: EncodedBatch?
        var keyless = 0
        try Self.reading(file, position) {
            compacted = try batch.compacted(
                deleteHorizon: now &+ policy.deleteRetentionMilliseconds,
                maximumDecompressedBytes: policy.maximumDecompressedBytes
            ) { record in
                if header.isControl || record.offset >= end { return true }
                guard let key = record.key else {
                    keyless += 1
                    return false
                }
                if let latest = map.offset(of: key), record.offset < latest { return false }
                return record.value != nil || !horizonIsOver
            }
        }
        report.recordsWithoutKey += keyless
        return compacted
    }

    private static func batch(_ file: File, _ header: RecordBatchHeader, at position: Int) throws(LogError)
        -> EncodedBatch
    {
        let bytes = try file.read(count: header.totalByteCount, at: position)
        do throws(RecordBatchError) {
            return try EncodedBatch(validating: bytes)
        } catch {
            throw .corrupt(path: file.path, position: position, reason: error.description)
        }
    }

    /// Says where a batch is that cannot be read.
    private static func reading(_ file: File, _ position: Int, _ body: () throws -> Void) throws(LogError) {
        do {
            try body()
        } catch {
            throw .corrupt(path: file.path, position: position, reason: "\(error)")
        }
    }
}
