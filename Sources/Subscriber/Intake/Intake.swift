internal import Aggregation
internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import MetricModel
internal import RecordBatch
internal import SeriesStore

/// Stands between reading and committing: decodes what is read into the harvest that the next commit takes, makes
/// reading wait while too much is in hand, and knows how far each partition has been read and committed.
///
/// One task reads into it, one commits from it, and the rebalance listener asks it to flush. The tasks wait for each
/// other here: each looks at the state, and waits for the next change of it.
actor Intake {
    /// Where the reading of a partition begins.
    struct Start {
        /// How far the database has it; nil if it does not know it.
        let stored: SourcePosition?
        let offset: Offset
        /// How far the log reaches.
        var end: Offset?
        var topicID: String?
        /// Records between what is stored and where reading begins, which are not there any more.
        var missed: Int64 = 0
    }

    /// How far a partition has been read, committed, and how far it reaches.
    private struct Position {
        /// The offset of the next batch, as far as known.
        var next: Offset
        /// Before it, everything is in the database.
        var committed: Offset
        var end: Offset
        var topicID: String?
        /// How far the database has it.
        var stored: SourcePosition?
        /// How far the database will have it once everything that was taken is committed: what the next head starts from.
        var taken: SourcePosition?
        /// Batches that were asked for in an earlier reading are not for this position.
        var reading: Reading
        /// Which of all assignments brought it.
        let assignment: Int

        /// What the database says once everything before an offset is in it. `last` is the batch that was read last.
        func stored(upTo offset: Offset, _ last: EncodedBatch?) -> SourcePosition {
            var checksum: UInt32?
            // Where topics have ids, batches come as they were written; older ones may be put together anew each time.
            if let last, topicID != nil, last.header.lastOffset.advanced(by: 1) == offset { checksum = last.header.crc }
            return SourcePosition(nextOffset: offset.rawValue, topicID: topicID, checksum: checksum)
        }
    }

    /// Where a partition is to be read again.
    struct Restart {
        let offset: Offset
        fileprivate let stored: SourcePosition?
        fileprivate let assignment: Int
    }

    /// Numbers the times that partitions were begun anew: a batch belongs to the reading in which it was waited for.
    typealias Reading = Int

    /// What `receive` has to say to the one who reads.
    struct Reception {
        /// What the next batch will be waited for in.
        let reading: Reading
        /// The batch was not taken: the partition is read from here. Nil also if it is no longer read at all.
        var seek: Offset?
    }

    private let policy: CommitPolicy
    private let mode: ProcessingMode
    private let observer: (any ArrivalObserver)?
    private let statistics: StatisticsKeeper
    private let logger: Logger
    private var decoder: RecordDecoder
    private var harvest = Harvest()
    /// Where each record has a transaction of its own: the harvests of the records that were read, the last one first.
    private var singles: [Harvest] = []
    /// The partitions this member has.
    private var positions: [TopicPartition: Position] = [:]
    /// Of these, where reading has just begun and not come yet to where the log ended then. What has been missed is committed in
    /// few large transactions, for each of them writes about as much of every series.
    private var behind: [TopicPartition: Offset] = [:]
    /// The partitions it has had.
    private var known: Set<TopicPartition> = []
    private(set) var reading: Reading = 0
    private var assignments = 0
    /// What is in hand was dropped, and it is not known yet from where it is read again.
    private var isRestarting = false
    private var isFinished = false
    /// Harvests that were begun, and those of them that are committed. They differ while something is in hand.
    private var begun = 0
    private var committed = 0
    private var flushes = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []
    /// Of the harvest that is being committed.
    private var directSamplesInCommit = 0
    private var forgottenSeries: Int64 = 0
    /// Series that were forgotten while samples of them were being committed.
    private var voidReports: Set<SeriesReference> = []
    /// Records that were deleted before they were read, by topic.
    private(set) var missedRecords: [String: Int64] = [:]
    /// Direct links that the observer has been told of.
    private var directSources: Set<SourcePartition> = []
    /// Samples of direct links that were dropped, because others had committed before.
    private(set) var droppedDirectSamples = 0

    /// - Parameters:
    ///   - observer: sees what arrives, in a mode that acts on arrival.
    ///   - statistics: is told how long samples took to arrive.
    init(
        formats: [TopicFormat], policy: CommitPolicy, mode: ProcessingMode,
        watermark: WatermarkSettings = WatermarkSettings(), observer: (any ArrivalObserver)?,
        limits: DecodingLimits = DecodingLimits(), statistics: StatisticsKeeper = StatisticsKeeper(), logger: Logger
    ) {
        decoder = RecordDecoder(formats: formats, limits: limits)
        decoder.watermark = EventTimeWatermark(settings: watermark)
        self.policy = policy
        self.mode = mode
        self.observer = mode.actsOnArrival ? observer : nil
        self.statistics = statistics
        self.logger = logger
    }

    // MARK: Reading

    /// These partitions are read from now on.
    ///
    /// - Parameter progress: which records of agents the database has, and where alerts stand in it.
    func assign(_ starts: [TopicPartition: Start], progress: StoredProgress) {
        // A batch of a partition that went and comes back may still be on its way here.
        if starts.keys.contains(where: known.contains) { reading += 1 }
        decoder.learn(progress.sequences)
        assignments += 1
        let clock = ClockReading.now()
        for (partition, start) in starts {
            let end = start.end ?? start.offset
            if start.missed > 0 { missedRecords[partition.topic.rawValue, default: 0] += start.missed }
            positions[partition] = Position(
                next: start.offset, committed: start.offset, end: end, topicID: start.topicID, stored: start.stored,
                taken: start.stored, reading: known.insert(partition).inserted ? 0 : reading, assignment: assignments)
            decoder.watermark.assign(EventTimeSource.Partition(partition), at: clock)
            behind[partition] = start.offset < end ? end : nil
            if start.offset >= end {
                decoder.watermark.reachedEnd(of: EventTimeSource.Partition(partition), at: clock)
            }
        }
        if !behind.isEmpty { forgetBehind(after: policy.maximumInterval) }
        observer?.assigned(starts.keys.sorted().map { SourcePartition($0) }, stored: progress.alerts)
    }

    /// A partition that cannot be read now is not waited for longer.
    private func forgetBehind(after patience: Duration) {
        Task { [weak self] in
            try? await Task.sleep(for: patience)
            await self?.forgetBehind()
        }
    }

    private func forgetBehind() {
        behind.removeAll()
        change()
    }

    /// These partitions are read by others from now on.
    func unassign(_ partitions: [TopicPartition]) {
        for partition in partitions {
            positions[partition] = nil
            behind[partition] = nil
            decoder.watermark.revoke(EventTimeSource.Partition(partition))
        }
        observer?.unassigned(partitions.map { SourcePartition($0) })
    }

    /// Decodes what was read. Waits first while too much is in hand.
    ///
    /// - Parameter asked: the reading in which the batch was waited for.
    /// - Throws: `CancellationError` when the task is cancelled or the intake finished while it waits.
    func receive(_ batch: ConsumedBatch, of asked: Reading) async throws -> Reception {
        while isRestarting || harvest.size >= policy.maximumSamples || !singles.isEmpty {
            if Task.isCancelled || isFinished { throw CancellationError() }
            await waitForChange()
        }
        let partition = batch.topicPartition
        guard var position = positions[partition] else { return Reception(reading: reading) }
        guard asked >= position.reading else { return Reception(reading: reading, seek: position.next) }
        forgetUnstored()
        noteJump(batch, &position)
        position.topicID = batch.topicID.map(\.description) ?? position.topicID
        let clock = ClockReading.now()
        if mode.commitsEachRecord {
            decodeSingly(batch, from: &position, at: clock)
        } else {
            decode(batch, from: position, at: clock)
        }
        position.next = batch.nextOffset
        position.end = max(batch.highWatermark, batch.nextOffset)
        positions[partition] = position
        if let end = behind[partition], batch.nextOffset >= end { behind[partition] = nil }
        if batch.nextOffset >= batch.highWatermark {
            decoder.watermark.reachedEnd(of: EventTimeSource.Partition(partition), at: clock)
        }
        change()
        return Reception(reading: reading)
    }

    /// Decodes what came on a direct link. Waits first while too much is in hand. There is no position to go on from: what
    /// is in hand is all there is of it.
    ///
    /// - Throws: `CancellationError` when the task is cancelled or the intake finished while it waits.
    func receive(direct batch: ConsumedBatch) async throws {
        while isRestarting || harvest.size >= policy.maximumSamples || !singles.isEmpty {
            if Task.isCancelled || isFinished { throw CancellationError() }
            await waitForChange()
        }
        let clock = ClockReading.now()
        let known = (samples: harvest.head.sampleCount, series: harvest.head.newSeries.count)
        let wasEmpty = harvest.isEmpty
        let plausible = decoder.watermark.plausibleTimes(of: EventTimeSource.Partition(batch.topicPartition), at: clock)
        var alone: [Harvest] = []
        for encoded in batch.batches {
            decoder.decode(encoded, from: batch.firstOffset, of: batch.topicPartition, at: clock, into: &harvest) {
                [commitsEachRecord = mode.commitsEachRecord] decoder, single, _ in
                // A record may be comments only.
                guard commitsEachRecord, !single.isEmpty else { return }
                single.directSamples = single.head.sampleCount
                single.eventTime = decoder.watermark.advance(at: clock)
                alone.append(single)
                single = Harvest()
            }
        }
        if mode.commitsEachRecord {
            for index in alone.indices {
                note(batch, at: clock, in: &alone[index])
                statistics.arrived(&alone[index].collected)
            }
            singles = alone.reversed()
            // What was in hand before is the first one's now.
            begun += alone.count - (wasEmpty || alone.isEmpty ? 0 : 1)
        } else if !harvest.isEmpty {
            harvest.directSamples += harvest.head.sampleCount - known.samples
            note(batch, at: clock, in: &harvest)
            if wasEmpty { begun += 1 }
            let source = SourcePartition(batch.topicPartition)
            if directSources.insert(source).inserted { observer?.assigned([source], stored: []) }
            observer?.arrived(
                in: harvest.head, samplesFrom: known.samples, seriesFrom: known.series, of: source, plausible: plausible
            )
            statistics.arrived(&harvest.collected)
        }
        decoder.watermark.reachedEnd(of: EventTimeSource.Partition(batch.topicPartition), at: clock)
        change()
    }

    /// What is remembered of series.
    var memory: SeriesMemory {
        SeriesMemory(
            spellings: decoder.spellingCount, forgotten: forgottenSeries,
            respelledSamples: decoder.respelledSamples)
    }

    /// Decodes what was read into the harvest at hand.
    private func decode(_ batch: ConsumedBatch, from position: Position, at clock: ClockReading) {
        if harvest.isEmpty { begun += 1 }
        let known = (samples: harvest.head.sampleCount, series: harvest.head.newSeries.count)
        note(batch, at: clock, in: &harvest)
        let source = SourcePartition(batch.topicPartition)
        let plausible = decoder.watermark.plausibleTimes(of: EventTimeSource.Partition(batch.topicPartition), at: clock)
        for encoded in batch.batches {
            decoder.decode(encoded, from: batch.firstOffset, of: batch.topicPartition, at: clock, into: &harvest)
        }
        harvest.head.advance(
            source, from: position.taken, to: position.stored(upTo: batch.nextOffset, batch.batches.last))
        observer?.arrived(
            in: harvest.head, samplesFrom: known.samples, seriesFrom: known.series, of: source, plausible: plausible)
        statistics.arrived(&harvest.collected)
    }

    /// Decodes what was read into a harvest for each record. Each has the sequences and the event time of the records up
    /// to its own, for that is what is committed with it.
    private func decodeSingly(_ batch: ConsumedBatch, from position: inout Position, at clock: ClockReading) {
        let source = SourcePartition(batch.topicPartition)
        var stored = position.taken
        let topic = position
        var harvests: [Harvest] = []
        // What a restart has left to be defined goes along with the first.
        var rest = harvest
        if !rest.isEmpty { begun -= 1 }
        harvest = Harvest()
        for encoded in batch.batches {
            decoder.decode(encoded, from: batch.firstOffset, of: batch.topicPartition, at: clock, into: &rest) {
                decoder, single, offset in
                let reached = topic.stored(upTo: offset.advanced(by: 1), encoded)
                single.head.advance(source, from: stored, to: reached)
                stored = reached
                single.eventTime = decoder.watermark.advance(at: clock)
                harvests.append(single)
                single = Harvest()
            }
        }
        // A damaged batch, or offsets without records.
        let reached = position.stored(upTo: batch.nextOffset, batch.batches.last)
        if !rest.isEmpty || stored != reached {
            rest.head.advance(source, from: stored, to: reached)
            harvests.append(rest)
        }
        position.taken = reached
        for index in harvests.indices {
            note(batch, at: clock, in: &harvests[index])
            statistics.arrived(&harvests[index].collected)
        }
        begun += harvests.count
        singles = harvests.reversed()
    }

    private func note(_ batch: ConsumedBatch, at clock: ClockReading, in harvest: inout Harvest) {
        var arrival = harvest.arrival ?? Arrival(first: .now)
        for encoded in batch.batches { arrival.note(timestamp: encoded.header.baseTimestamp, now: clock.wall) }
        harvest.arrival = arrival
    }

    /// The consumer goes on where it stopped, unless what it wants to read is not there any more.
    private func noteJump(_ batch: ConsumedBatch, _ position: inout Position) {
        guard position.next != batch.firstOffset else { return }
        let metadata: Logger.Metadata = [
            "partition": "\(batch.topicPartition)", "expected": "\(position.next)", "offset": "\(batch.firstOffset)",
        ]
        if batch.firstOffset > position.next {
            // Offsets without records, as transactions leave them, come as batches without records.
            missedRecords[batch.topicPartition.topic.rawValue, default: 0] +=
                batch.firstOffset - position.next
            logger.warning("records were deleted before they were read", metadata: metadata)
        } else {
            logger.warning(
                "the partition is shorter than it was (recreated, or the broker lost its end); reading it again",
                metadata: metadata)
            position.committed = batch.firstOffset
        }
    }

    /// Reading is over; what is in hand may still be committed.
    func finish() {
        isFinished = true
        change()
    }

    // MARK: Committing

    /// What the next commit takes: waits until there is something, and until `earliest` unless somebody waits for
    /// the commit; while reading catches up, for a moment also until much is in hand or the end is reached. Nil once reading
    /// is over and everything has been taken.
    func next(notBefore earliest: ContinuousClock.Instant) async -> Harvest? {
        let alarm = Task {
            try? await Task.sleep(until: earliest, clock: .continuous)
            change()
        }
        defer { alarm.cancel() }
        while true {
            if Task.isCancelled { return nil }
            if let single = singles.popLast() {
                directSamplesInCommit = single.directSamples
                change()
                return single
            }
            if harvest.isEmpty || isRestarting {
                if isFinished { return nil }
            } else if isFinished || flushes > 0 || isFull || (behind.isEmpty && .now >= earliest) {
                observer?.record(in: &harvest.head)
                harvest.eventTime = eventTime(at: .now())
                let taken = harvest
                harvest = Harvest()
                directSamplesInCommit = taken.directSamples
                for (source, position) in taken.head.nextPositions {
                    if let partition = TopicPartition(source) { positions[partition]?.taken = position }
                }
                forgetUnstored()
                change()
                return taken
            }
            await waitForChange()
        }
    }

    /// Forgets the series that the database has no row for, when there are too many: nobody can fill memory with series that
    /// are refused. Only while no samples are in hand that a transaction has yet to take.
    private func forgetUnstored() {
        guard harvest.isEmpty, singles.isEmpty, let forgotten = decoder.takeForgettable() else {
            return
        }
        // What is being committed may name some of them once more.
        voidReports = committed < begun ? forgotten : []
        observer?.seriesForgotten(forgotten)
        forgottenSeries += Int64(forgotten.count)
        harvest.head.forget(forgotten)
        begun += 1
    }

    /// Whether `next(notBefore: earliest)` would return at once.
    func isWaitingForCommit(at earliest: ContinuousClock.Instant) -> Bool {
        isFinished || flushes > 0 || !singles.isEmpty
            || (!harvest.isEmpty && (isFull || (behind.isEmpty && .now >= earliest)))
    }

    /// Half of what may be in hand, so that reading goes on while the commit runs.
    private var isFull: Bool { harvest.size >= policy.maximumSamples / 2 }

    /// Whose these series are, by the key of their records.
    func sources(of duplicates: [SeriesReference: Int]) -> [String: SourceStatistics] {
        duplicates.reduce(into: [:]) { sources, entry in
            let name = decoder.sources.name(ofOwnerOf: entry.key)
            sources[name, default: SourceStatistics()].duplicateSamples += Int64(entry.value)
        }
    }

    /// How far event time has come when everything that was read is in the database: it goes on while nothing comes. Nil
    /// while something is in hand, which will bring its own.
    func eventTimeAtRest() -> Timestamp? {
        begun == committed ? eventTime(at: .now()) : nil
    }

    /// Nil also where this member has no partition: then others have what event time is made of.
    private func eventTime(at clock: ClockReading) -> Timestamp? {
        positions.isEmpty ? nil : decoder.watermark.advance(at: clock)
    }

    /// Tells the observer how far event time has come, which goes on while nothing comes.
    func tellEventTime() {
        guard let observer, let eventTime = decoder.watermark.advance(at: .now()) else { return }
        observer.eventTimeAdvanced(to: eventTime)
    }

    /// A harvest that `next` gave is in the database, which has no row for some of its series.
    func didCommit(_ head: Head, unstored: [SeriesReference] = []) {
        committed += 1
        decoder.note(unstored: voidReports.isEmpty ? unstored : unstored.filter { !voidReports.contains($0) })
        voidReports = []
        for (source, position) in head.nextPositions {
            guard let partition = TopicPartition(source) else { continue }
            positions[partition]?.stored = position
            positions[partition]?.committed = Offset(position.nextOffset)
        }
        change()
    }

    /// A harvest that `next` gave cannot be committed, because others have committed before. Drops it, and what has come
    /// since; what comes from now on waits until `endRestart`.
    ///
    /// - Parameter reset: series are to be defined anew.
    func beginRestart(dropping head: Head, forgettingSeries reset: Bool) {
        isRestarting = true
        voidReports = []
        droppedDirectSamples +=
            directSamplesInCommit + harvest.directSamples + singles.reduce(0) { $0 + $1.directSamples }
        let dropped = singles.reversed().map(\.head) + [harvest.head]
        (harvest, singles) = (Harvest(), [])
        if reset {
            decoder.forgetSeries()
            observer?.seriesForgotten(nil)
        } else {
            // The decoder knows these series already, and the database does not.
            harvest.head.define(asIn: head)
            for head in dropped { harvest.head.define(asIn: head) }
        }
        // Whoever waits for a flush waits for nothing any more, but for these.
        committed = begun
        if !harvest.isEmpty { begun += 1 }
        change()
    }

    /// Where to read the partitions again, by what the database says now.
    func restarts(from progress: StoredProgress) -> [TopicPartition: Restart] {
        decoder.forget(allBut: progress.sequences)
        observer?.restarted(from: progress.alerts)
        return positions.reduce(into: [:]) { restarts, entry in
            let (partition, position) = entry
            let stored = progress.positions[SourcePartition(partition)]
            // Where nobody else has stored anything, a start that is not the database's (as after retention) still holds.
            let offset = stored == position.stored ? position.committed : Offset(stored?.nextOffset ?? 0)
            restarts[partition] = Restart(offset: offset, stored: stored, assignment: position.assignment)
        }
    }

    /// The consumer has been told to read these partitions again. What it has fetched before that is not taken.
    func endRestart(_ restarts: [TopicPartition: Restart]) {
        reading += 1
        for (partition, restart) in restarts where positions[partition]?.assignment == restart.assignment {
            positions[partition]?.next = restart.offset
            positions[partition]?.committed = restart.offset
            positions[partition]?.stored = restart.stored
            positions[partition]?.taken = restart.stored
            positions[partition]?.reading = reading
            if let topicID = restart.stored?.topicID { positions[partition]?.topicID = topicID }
        }
        isRestarting = false
        change()
    }

    /// Waits until everything received so far is in the database. False when committing ended before.
    func flush() async -> Bool {
        let goal = begun
        flushes += 1
        defer { flushes -= 1 }
        change()
        while committed < goal {
            if isBroken { return false }
            await waitForChange()
        }
        return true
    }

    /// Committing has ended, with something in hand or not: nobody is to wait for it.
    func commitEnded() {
        isBroken = true
        isFinished = true
        change()
    }

    private var isBroken = false

    /// The offsets in the database of the partitions that this member has.
    var committedOffsets: [TopicPartition: Offset] { positions.mapValues(\.committed) }

    /// Records that are in the topics, as far as known, and not in the database, by topic.
    var lag: [String: Int64] {
        positions.reduce(into: [:]) {
            $0[$1.key.topic.rawValue, default: 0] += max(0, $1.value.end - $1.value.committed)
        }
    }

    // MARK: Waiting

    private func waitForChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting.append($0) }
        } onCancel: {
            Task { await change() }
        }
    }

    private func change() {
        let woken = waiting
        waiting.removeAll()
        for continuation in woken { continuation.resume() }
    }
}

extension SourcePartition {
    init(_ partition: TopicPartition) {
        self.init(topic: partition.topic.rawValue, partition: partition.partition.rawValue)
    }
}

extension TopicPartition {
    /// Nil when the database names a topic that no topic can be called.
    init?(_ source: SourcePartition) {
        guard let topic = try? TopicName(source.topic) else { return nil }
        self.init(topic: topic, partition: PartitionIndex(rawValue: source.partition))
    }
}
