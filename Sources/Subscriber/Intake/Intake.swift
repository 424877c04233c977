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
    /// How far a partition has been read, committed, and how far it reaches.
    private struct Position {
        var next: Offset
        var committed: Offset
        var end: Offset
    }

    private let policy: CommitPolicy
    private let mode: ProcessingMode
    private let observer: (any ArrivalObserver)?
    private let logger: Logger
    private var decoder: RecordDecoder
    private var harvest = Harvest()
    /// Where each record has a transaction of its own: the harvests of the records that were read, the last one first.
    private var singles: [Harvest] = []
    /// The partitions this member has.
    private var positions: [TopicPartition: Position] = [:]
    /// The offsets in the database, also of partitions that other members have.
    private var stored: [SourcePartition: Int64]
    private var isFinished = false
    /// Harvests that were begun, and those of them that are committed. They differ while something is in hand.
    private var begun = 0
    private var committed = 0
    private var flushes = 0
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// - Parameter observer: sees what arrives, in a mode that acts on arrival.
    init(
        progress: StoredProgress, formats: [TopicFormat], policy: CommitPolicy, mode: ProcessingMode,
        watermark: WatermarkSettings = WatermarkSettings(), observer: (any ArrivalObserver)?, logger: Logger
    ) {
        decoder = RecordDecoder(sequences: progress.sequences, formats: formats)
        decoder.watermark = EventTimeWatermark(settings: watermark)
        stored = progress.offsets
        self.policy = policy
        self.mode = mode
        self.observer = mode.actsOnArrival ? observer : nil
        self.logger = logger
    }

    // MARK: Reading

    /// Where the database says that reading goes on; nil for a partition it does not know.
    func storedOffset(of partition: TopicPartition) -> Offset? {
        stored[SourcePartition(partition)].map { Offset($0) }
    }

    /// These partitions are read from now on, from these offsets. `ends` is how far they reach.
    func assign(_ starts: [TopicPartition: Offset], ends: [TopicPartition: Offset]) {
        let clock = ClockReading.now()
        for (partition, start) in starts {
            let end = ends[partition] ?? start
            positions[partition] = Position(next: start, committed: start, end: end)
            decoder.watermark.assign(EventTimeSource.Partition(partition), at: clock)
            if start >= end { decoder.watermark.reachedEnd(of: EventTimeSource.Partition(partition), at: clock) }
        }
    }

    /// These partitions are read by others from now on.
    func unassign(_ partitions: [TopicPartition]) {
        for partition in partitions {
            positions[partition] = nil
            decoder.watermark.revoke(EventTimeSource.Partition(partition))
        }
    }

    /// Decodes what was read. Waits first while too much is in hand.
    ///
    /// - Throws: `CancellationError` when the task is cancelled or the intake finished while it waits.
    func receive(_ batch: ConsumedBatch) async throws {
        while harvest.size >= policy.maximumSamples || !singles.isEmpty {
            if Task.isCancelled || isFinished { throw CancellationError() }
            await waitForChange()
        }
        let partition = batch.topicPartition
        noteJump(batch)
        let clock = ClockReading.now()
        if mode.commitsEachRecord { decodeSingly(batch, at: clock) } else { decode(batch, at: clock) }
        positions[partition, default: Position(next: 0, committed: batch.firstOffset, end: 0)].next = batch.nextOffset
        positions[partition]?.end = max(batch.highWatermark, batch.nextOffset)
        if batch.nextOffset >= batch.highWatermark {
            decoder.watermark.reachedEnd(of: EventTimeSource.Partition(partition), at: clock)
        }
        change()
    }

    /// Decodes what was read into the harvest at hand.
    private func decode(_ batch: ConsumedBatch, at clock: ClockReading) {
        if harvest.isEmpty { begun += 1 }
        let known = (samples: harvest.head.sampleCount, series: harvest.head.newSeries.count)
        note(batch, at: clock, in: &harvest)
        for encoded in batch.batches {
            decoder.decode(encoded, from: batch.firstOffset, of: batch.topicPartition, at: clock, into: &harvest)
        }
        harvest.head.advance(SourcePartition(batch.topicPartition), to: batch.nextOffset.rawValue)
        observer?.arrived(in: harvest.head, samplesFrom: known.samples, seriesFrom: known.series)
    }

    /// Decodes what was read into a harvest for each record. Each has the sequences and the event time of the records up
    /// to its own, for that is what is committed with it.
    private func decodeSingly(_ batch: ConsumedBatch, at clock: ClockReading) {
        let source = SourcePartition(batch.topicPartition)
        var harvests: [Harvest] = []
        var rest = Harvest()
        for encoded in batch.batches {
            decoder.decode(encoded, from: batch.firstOffset, of: batch.topicPartition, at: clock, into: &rest) {
                decoder, single, offset in
                single.head.advance(source, to: offset.rawValue + 1)
                decoder.recordSequences(in: &single.head)
                single.eventTime = decoder.watermark.advance(at: clock)
                harvests.append(single)
                single = Harvest()
            }
        }
        // A damaged batch, or offsets without records.
        if !rest.isEmpty || harvests.last?.head.nextOffsets[source] != batch.nextOffset.rawValue {
            rest.head.advance(source, to: batch.nextOffset.rawValue)
            harvests.append(rest)
        }
        for index in harvests.indices { note(batch, at: clock, in: &harvests[index]) }
        begun += harvests.count
        singles = harvests.reversed()
    }

    private func note(_ batch: ConsumedBatch, at clock: ClockReading, in harvest: inout Harvest) {
        var arrival = harvest.arrival ?? Arrival(first: .now)
        for encoded in batch.batches { arrival.note(timestamp: encoded.header.baseTimestamp, now: clock.wall) }
        harvest.arrival = arrival
    }

    /// The consumer goes on where it stopped, unless what it wants to read is not there any more.
    private func noteJump(_ batch: ConsumedBatch) {
        guard let position = positions[batch.topicPartition], position.next != batch.firstOffset else { return }
        let metadata: Logger.Metadata = [
            "partition": "\(batch.topicPartition)", "expected": "\(position.next)", "offset": "\(batch.firstOffset)",
        ]
        if batch.firstOffset > position.next {
            // Offsets without records, as transactions leave them; or retention, of which the consumer has told.
            logger.debug("offsets were passed over", metadata: metadata)
        } else {
            logger.warning(
                "the partition is shorter than it was (recreated, or the broker lost its end); reading it again",
                metadata: metadata)
            positions[batch.topicPartition]?.committed = batch.firstOffset
        }
    }

    /// Reading is over; what is in hand may still be committed.
    func finish() {
        isFinished = true
        change()
    }

    // MARK: Committing

    /// What the next commit takes: waits until there is something, and until `earliest` unless somebody waits for
    /// the commit. Nil once reading is over and everything has been taken.
    func next(notBefore earliest: ContinuousClock.Instant) async -> Harvest? {
        let alarm = Task {
            try? await Task.sleep(until: earliest, clock: .continuous)
            change()
        }
        defer { alarm.cancel() }
        while true {
            if Task.isCancelled { return nil }
            if let single = singles.popLast() {
                change()
                return single
            }
            if harvest.isEmpty {
                if isFinished { return nil }
            } else if isFinished || flushes > 0 || isFull || .now >= earliest {
                decoder.recordSequences(in: &harvest.head)
                harvest.eventTime = eventTime(at: .now())
                let taken = harvest
                harvest = Harvest()
                change()
                return taken
            }
            await waitForChange()
        }
    }

    /// Whether `next(notBefore: earliest)` would return at once.
    func isWaitingForCommit(at earliest: ContinuousClock.Instant) -> Bool {
        isFinished || flushes > 0 || !singles.isEmpty || (!harvest.isEmpty && (isFull || .now >= earliest))
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

    /// A harvest that `next` gave is in the database.
    func didCommit(_ head: Head) {
        committed += 1
        for (source, offset) in head.nextOffsets {
            stored[source] = offset
            if let partition = TopicPartition(source) { positions[partition]?.committed = Offset(offset) }
        }
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
