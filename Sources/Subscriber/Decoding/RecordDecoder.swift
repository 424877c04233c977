internal import Aggregation
internal import KafkaProtocol
internal import MetricModel
internal import NIOCore
internal import RecordBatch
internal import SeriesStore

/// What decoding adds up until it is committed.
struct Harvest: Sendable {
    var head = Head()
    var rejections: [Rejection] = []
    var counts = DecodingCounts()
    /// Nil as long as nothing came.
    var arrival: Arrival?
    var collected = CollectionTimes()
    /// Of its samples, those that came on direct links: they are nowhere else.
    var directSamples = 0
    /// How far event time has come with what is in here; nil as long as that is not known.
    var eventTime: Timestamp?
    /// Whose clocks are wrong, by the key of the records: what was seen of each last.
    var skews: [String: ClockSkew] = [:]

    var isEmpty: Bool { head.isEmpty && rejections.isEmpty }

    /// How much is in hand, counted in samples; a rejection weighs as much as some dozens.
    var size: Int { head.sampleCount + rejections.count * 32 }

    /// Rejects a record as a whole.
    mutating func reject(
        _ record: RecordView, _ reason: String, agent: String?, of source: TopicPartition, from host: String
    ) {
        counts.sources[host, default: SourceStatistics()].rejectedLines += 1
        rejections.append(
            Rejection(
                reason: reason, source: source, offset: record.offset, agent: agent, key: record.key,
                value: record.value))
    }
}

/// How much was decoded.
struct DecodingCounts: Sendable {
    var records: Int64 = 0
    /// What was amiss, by the key of the records.
    var sources: [String: SourceStatistics] = [:]
    /// Values that are no numbers, such as the strings of InfluxDB's line protocol.
    var skippedValues: Int64 = 0

    /// Records of an agent that had been counted before.
    var duplicateRecords: Int64 { sources.values.reduce(0) { $0 + $1.duplicateRecords } }
    /// Lines that are no samples; a record or batch that cannot be read at all counts as one.
    var rejectedLines: Int64 { sources.values.reduce(0) { $0 + $1.rejectedLines } }
}

/// Turns records into samples: drops records that have been counted, reads each in its format, and knows the series
/// by their bytes.
///
/// It remembers what it has decoded as counted, so everything it adds to a harvest has to be committed, or be forgotten
/// (`forget(allBut:)`). Owned by the `Intake`, used in its isolation.
struct RecordDecoder {
    private var series = SeriesTable()
    private(set) var sources = SourceTable()
    private var referenceCount: UInt32 = 0
    /// References that were forgotten, to be given out again.
    private var freeReferences: [SeriesReference] = []
    /// Series without a row in the database.
    private var unstored: Set<SeriesReference> = []
    /// Spellings in `series` that are not the canonical ones.
    private var otherSpellings = 0
    private let limits: DecodingLimits
    /// Samples whose series was spelled in a way that is not remembered.
    private(set) var respelledSamples: Int64 = 0
    private var sequences: [AgentStream: SequenceSet]
    private var reader: RecordReader
    /// How far event time has come with all that was decoded.
    var watermark = EventTimeWatermark()

    init(
        sequences: [AgentStream: SequenceSet] = [:], formats: [TopicFormat] = [],
        limits: DecodingLimits = DecodingLimits(), textLimits: TextFormat.Limits = TextFormat.Limits()
    ) {
        self.sequences = sequences
        self.limits = limits
        reader = RecordReader(formats, limits: textLimits)
    }

    /// Decodes the records of one batch from `firstOffset` on. A batch that is damaged inside is rejected as a whole
    /// from the damage on.
    ///
    /// - Parameter afterRecord: called after each record with what there is of the harvest.
    mutating func decode(
        _ batch: EncodedBatch, from firstOffset: Offset, of source: TopicPartition,
        at clock: ClockReading = .now(), into harvest: inout Harvest,
        afterRecord: ((inout RecordDecoder, inout Harvest, Offset) -> Void)? = nil
    ) {
        let origin = Origin(
            source: source, format: reader.format(of: source.topic),
            plausible: watermark.plausibleTimes(of: EventTimeSource.Partition(source), at: clock), clock: clock)
        do {
            try batch.forEachRecord { record in
                guard record.offset >= firstOffset else { return }
                harvest.counts.records += 1
                let host = sources.number(of: record.key)
                let sequence = AgentSequence(record.headers, topic: source.topic.rawValue)
                if let sequence, !count(sequence, in: &harvest.head) {
                    harvest.counts.sources[sources.names[host], default: SourceStatistics()].duplicateRecords += 1
                } else {
                    decode(record, agent: sequence?.stream.agent, of: origin, from: host, into: &harvest)
                }
                afterRecord?(&self, &harvest, record.offset)
            }
        } catch {
            harvest.counts.sources[SourceTable.unnamed, default: SourceStatistics()].rejectedLines += 1
            harvest.rejections.append(
                Rejection(
                    reason: "the record batch is damaged: \(error)", source: source,
                    offset: max(firstOffset, batch.header.baseOffset)))
        }
    }

    /// These have been counted too, as the database says.
    mutating func learn(_ stored: [AgentStream: SequenceSet]) {
        for (stream, set) in stored { sequences[stream, default: SequenceSet()].formUnion(set) }
    }

    /// What was decoded and not committed is to be decoded again: only what the database says has been counted.
    mutating func forget(allBut stored: [AgentStream: SequenceSet]) {
        sequences = stored
    }

    /// Gives every series a new reference.
    mutating func forgetSeries() {
        (series, sources, referenceCount) = (SeriesTable(), SourceTable(), 0)
        (freeReferences, otherSpellings, unstored) = ([], 0, [])
    }

    /// Forgets some series; should samples of them come, they get other references. To be called while no samples of them are
    /// in a harvest that has not been taken, and to be told to the database with the next head.
    mutating func forget(_ references: Set<SeriesReference>) {
        series.remove(references)
        // Which of the rest are canonical is not known; at most all but one of each series are not.
        otherSpellings = max(
            0, series.count - (Int(referenceCount) - freeReferences.count - references.count))
        freeReferences.append(contentsOf: references)
    }

    /// These have no row in the database.
    mutating func note(unstored references: [SeriesReference]) {
        unstored.formUnion(references)
    }

    /// The series to be forgotten now, because too many have no row.
    mutating func takeForgettable() -> Set<SeriesReference>? {
        guard unstored.count > limits.unstoredSeries else { return nil }
        defer { unstored.removeAll() }
        forget(unstored)
        return unstored
    }

    /// How many spellings of series are remembered.
    var spellingCount: Int { series.count }

    /// False when the record has been counted before.
    private mutating func count(_ sequence: AgentSequence, in head: inout Head) -> Bool {
        guard sequences[sequence.stream, default: SequenceSet()].insert(sequence.sequence) else { return false }
        head.count(sequence.sequence, of: sequence.stream)
        return true
    }

    /// What the records of one batch have in common.
    private struct Origin {
        let source: TopicPartition
        /// Of records that do not name theirs.
        let format: FormatChoice
        let plausible: ClosedRange<Timestamp>
        let clock: ClockReading
    }

    private mutating func decode(
        _ record: RecordView, agent: String?, of origin: Origin, from host: SourceTable.Number,
        into harvest: inout Harvest
    ) {
        let source = origin.source
        var rejected = RejectedLines(of: record, agent: agent, source: source)
        // Taken out while it is used, because the closures below use the decoder.
        var reader = RecordReader()
        swap(&reader, &self.reader)
        defer { swap(&reader, &self.reader) }
        let textLimits = reader.limits
        let skippedBefore = reader.skippedValues
        let newestMinute = sources.newestMinute(of: host)
        var (newest, late) = (Int64.min, Int64(0))
        let samplesBefore = harvest.head.sampleCount
        var times = ObservedTimes(plausible: origin.plausible)
        do throws(UnreadableRecord) {
            try reader.read(record, as: origin.format) { number, reason, text in
                rejected.add(number, reason, text)
            } sample: { line in
                guard
                    let reference = series.find(line.series)
                        ?? define(line.series, of: host, textLimits, in: &harvest.head)
                else { return false }
                if line.timestamp.milliseconds < newestMinute { late += 1 }
                newest = max(newest, line.timestamp.milliseconds)
                times.add(line.timestamp)
                harvest.head.append(reference, timestamp: line.timestamp, value: line.value)
                return true
            }
        } catch {
            return harvest.reject(record, "\(error)", agent: agent, of: source, from: sources.names[host])
        }
        sources.advance(host, to: newest)
        harvest.collected.note(record.timestamp, samples: harvest.head.sampleCount - samplesBefore)
        observe(times, of: origin, from: host, into: &harvest)
        if late > 0 { harvest.counts.sources[sources.names[host], default: SourceStatistics()].lateSamples += late }
        harvest.counts.skippedValues += Int64(reader.skippedValues - skippedBefore)
        if !rejected.isEmpty {
            harvest.counts.sources[sources.names[host], default: SourceStatistics()].rejectedLines += Int64(
                rejected.count)
            harvest.rejections += rejected.finish()
        }
    }

    /// Tells the watermark how far a record's source has come, and notes where its clock is wrong.
    private mutating func observe(
        _ times: ObservedTimes, of origin: Origin, from host: SourceTable.Number, into harvest: inout Harvest
    ) {
        let name = sources.names[host]
        let source = EventTimeSource(partition: EventTimeSource.Partition(origin.source), instance: name)
        guard let skew = watermark.observe(times, from: source, at: origin.clock) else { return }
        harvest.counts.sources[name, default: SourceStatistics()].futureSamples += Int64(skew.futureSamples)
        harvest.counts.sources[name, default: SourceStatistics()].pastSamples += Int64(skew.pastSamples)
        harvest.skews[name] = skew
    }

    private mutating func nextReference() -> SeriesReference {
        defer { referenceCount += 1 }
        return SeriesReference(rawValue: referenceCount)
    }

    /// Remembers another spelling of a series. Labels can be put in any order, so there may be very many: beyond a limit
    /// they are read anew each time.
    private mutating func remember(_ spelling: UnsafeRawBufferPointer, _ reference: SeriesReference) {
        guard otherSpellings < max(limits.otherSpellings, series.count / 2) else {
            respelledSamples += 1
            return
        }
        otherSpellings += 1
        series.insert(spelling, reference)
    }

    /// A series that is spelled in a way not seen before: a new series, or a known one written differently.
    private mutating func define(
        _ spelling: UnsafeRawBufferPointer, of host: SourceTable.Number, _ limits: TextFormat.Limits,
        in head: inout Head
    ) -> SeriesReference? {
        guard let labels = try? Labels(parsing: spelling, limits: limits) else { return nil }
        var canonical = labels.description
        return canonical.withUTF8 { canonical in
            let canonical = UnsafeRawBufferPointer(canonical)
            if let known = series.find(canonical) {
                remember(spelling, known)
                return known
            }
            let reference = freeReferences.popLast() ?? nextReference()
            series.insert(canonical, reference)
            if !canonical.elementsEqual(spelling) { remember(spelling, reference) }
            head.define(reference, labels: labels)
            sources.own(reference, host)
            return reference
        }
    }
}

extension EventTimeSource.Partition {
    init(_ partition: TopicPartition) {
        self.init(topic: partition.topic.rawValue, index: partition.partition.rawValue)
    }
}

extension ClockReading {
    private static let start = ContinuousClock.now

    /// What the clocks show now.
    static func now() -> ClockReading {
        ClockReading(wall: .now(), elapsed: ContinuousClock.now - start)
    }
}

/// What a decoder remembers at most.
struct DecodingLimits: Sendable {
    /// Series that the database has no row for, for they are refused or their samples too old: with more, all of them are
    /// forgotten.
    var unstoredSeries = 100_000
    /// Spellings of series beside the canonical ones; or as many as there are series, if that is more.
    var otherSpellings = 100_000
}
