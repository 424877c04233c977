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
/// It remembers what it has decoded as counted, so everything it adds to a harvest has to be committed, or the
/// decoder thrown away. Owned by the `Intake`, used in its isolation.
struct RecordDecoder {
    /// Timestamps that are taken: from 1970 to the end of the year 9999, which SQLite's time functions can show.
    static let timestamps = Timestamp(milliseconds: 0)...Timestamp(milliseconds: 253_402_300_799_999)

    private var series = SeriesTable()
    private(set) var sources = SourceTable()
    private var referenceCount: UInt32 = 0
    private var sequences: [AgentStream: SequenceSet]
    private var touchedStreams: Set<AgentStream> = []
    private let limits: TextFormat.Limits
    private var formats: RecordFormats
    private var reading: FormatReading

    init(
        sequences: [AgentStream: SequenceSet], formats: [TopicFormat] = [],
        limits: TextFormat.Limits = TextFormat.Limits()
    ) {
        self.sequences = sequences
        self.limits = limits
        self.formats = RecordFormats(formats)
        reading = FormatReading(limits: limits)
    }

    /// Decodes the records of one batch from `firstOffset` on. A batch that is damaged inside is rejected as a whole
    /// from the damage on.
    mutating func decode(
        _ batch: EncodedBatch, from firstOffset: Offset, of source: TopicPartition, into harvest: inout Harvest
    ) {
        let topic = source.topic.rawValue
        let format = formats.format(of: source.topic)
        do {
            try batch.forEachRecord { record in
                guard record.offset >= firstOffset else { return }
                harvest.counts.records += 1
                let host = sources.number(of: record.key)
                let sequence = AgentSequence(record.headers, topic: topic)
                if let sequence, !count(sequence) {
                    harvest.counts.sources[sources.names[host], default: SourceStatistics()].duplicateRecords += 1
                    return
                }
                decode(record, as: format, agent: sequence?.stream.agent, of: source, from: host, into: &harvest)
            }
        } catch {
            harvest.counts.sources[SourceTable.unnamed, default: SourceStatistics()].rejectedLines += 1
            harvest.rejections.append(
                Rejection(
                    reason: "the record batch is damaged: \(error)", source: source,
                    offset: max(firstOffset, batch.header.baseOffset)))
        }
    }

    /// Writes down which sequences have been counted since the last call. To be called before the harvest is taken.
    mutating func recordSequences(in head: inout Head) {
        for stream in touchedStreams {
            if let set = sequences[stream] { head.setSequences(set, of: stream) }
        }
        touchedStreams.removeAll(keepingCapacity: true)
    }

    /// False when the record has been counted before.
    private mutating func count(_ sequence: AgentSequence) -> Bool {
        guard sequences[sequence.stream, default: SequenceSet()].insert(sequence.sequence) else { return false }
        touchedStreams.insert(sequence.stream)
        return true
    }

    private mutating func decode(
        _ record: RecordView, as topicFormat: FormatChoice, agent: String?, of source: TopicPartition,
        from host: SourceTable.Number, into harvest: inout Harvest
    ) {
        guard let value = record.value, !value.isEmpty else {
            harvest.reject(record, "the record has no value", agent: agent, of: source, from: sources.names[host])
            return
        }
        let choice: FormatChoice
        do {
            choice = try RecordFormats.format(of: record.headers) ?? topicFormat
        } catch {
            harvest.reject(record, "\(error)", agent: agent, of: source, from: sources.names[host])
            return
        }
        var rejected = RejectedLines(of: record, agent: agent, source: source)
        // Taken out while it is used, because the closures below use the decoder.
        var reading = FormatReading(limits: limits)
        swap(&reading, &self.reading)
        // A record without a time (-1) gets that of its arrival.
        reading.defaultTimestamp = record.timestamp >= 0 ? Timestamp(milliseconds: record.timestamp) : .now()
        reading.parameters = choice.parameters
        let skippedBefore = reading.skippedValues
        let newestMinute = sources.newestMinute(of: host)
        var (newest, late) = (Int64.min, Int64(0))
        let samplesBefore = harvest.head.sampleCount
        choice.format.read(value, &reading) { unreadable in
            rejected.add(unreadable.number, "\(unreadable.reason)", unreadable.text)
        } _: { line in
            guard Self.timestamps.contains(line.timestamp) else {
                let reason = "timestamp \(line.timestamp.milliseconds) is no time between the years 1970 and 9999"
                rejected.add(line.lineNumber, reason, choice.format.numbersLines ? nil : line.series)
                return
            }
            guard let reference = series.find(line.series) ?? define(line.series, of: host, in: &harvest.head)
            else {
                rejected.add(
                    line.lineNumber, "the series cannot be read", choice.format.numbersLines ? nil : line.series)
                return
            }
            if line.timestamp.milliseconds < newestMinute { late += 1 }
            newest = max(newest, line.timestamp.milliseconds)
            harvest.head.append(reference, timestamp: line.timestamp, value: line.value)
        }
        sources.advance(host, to: newest)
        harvest.collected.note(record.timestamp, samples: harvest.head.sampleCount - samplesBefore)
        if late > 0 { harvest.counts.sources[sources.names[host], default: SourceStatistics()].lateSamples += late }
        harvest.counts.skippedValues += Int64(reading.skippedValues - skippedBefore)
        swap(&reading, &self.reading)
        if !rejected.isEmpty {
            harvest.counts.sources[sources.names[host], default: SourceStatistics()].rejectedLines += Int64(
                rejected.count)
            harvest.rejections += rejected.finish()
        }
    }

    /// A series that is spelled in a way not seen before: a new series, or a known one written differently.
    private mutating func define(
        _ spelling: UnsafeRawBufferPointer, of host: SourceTable.Number, in head: inout Head
    ) -> SeriesReference? {
        guard let labels = try? Labels(parsing: spelling, limits: limits) else { return nil }
        var canonical = labels.description
        return canonical.withUTF8 { canonical in
            let canonical = UnsafeRawBufferPointer(canonical)
            if let known = series.find(canonical) {
                series.insert(spelling, known)
                return known
            }
            let reference = SeriesReference(rawValue: referenceCount)
            referenceCount += 1
            series.insert(canonical, reference)
            if !canonical.elementsEqual(spelling) { series.insert(spelling, reference) }
            head.define(reference, labels: labels)
            sources.own(reference, host)
            return reference
        }
    }
}
