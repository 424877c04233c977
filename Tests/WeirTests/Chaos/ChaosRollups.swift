import Aggregation
import KafkaClient
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import Subscriber

/// What subscribers in mode `stream` have emitted, read by the rules of docs/rules.md, and what is wrong with it.
struct ChaosRollups {
    /// Rules of each kind: tumbling, sliding, of counters; for single series and for groups.
    static let rules = """
        - match: '{__name__=~"metrics_red|metrics_green|metrics_blue"}'
          interval: 1m
          outputs: [count_samples, sum_samples, min, max, first, last]
        - match: '{__name__=~"metrics_red|metrics_green"}'
          interval: 5m
          every: 1m
          by: [instance]
          outputs: [count_samples, count_series, min, max]
        - match: metrics_red
          interval: 1m
          outputs: [increase, resets]
        """
    private static let topics = ["metrics.rollup.1m", "metrics.rollup.5m"]

    /// A result that later ones replace.
    struct Place: Hashable {
        let rule: String
        let key: String
        let window: ClosedRange<Int64>
    }

    private struct Version: Comparable {
        let epoch: Int64
        let revision: Int64

        static func < (left: Version, right: Version) -> Bool {
            (left.epoch, left.revision) < (right.epoch, right.revision)
        }
    }

    private struct Number: Hashable {
        let topic: TopicName
        let epoch: Int64
        let sequence: Int64
    }

    private struct RuleWindow: Hashable {
        let rule: String
        let window: ClosedRange<Int64>
    }

    /// The result that counts, by its place.
    private var latest: [Place: (version: Version, text: String)] = [:]
    /// The version of the last record in its partition, by its place.
    private var last: [Place: Version] = [:]
    private var numbers: [Number: (place: Place, version: Version, text: String)] = [:]
    /// Which epoch each revision is of.
    private var revisions: [RuleWindow: [Int64: Int64]] = [:]
    private var positions: [TopicPartition: Offset] = [:]
    /// What is wrong with single records.
    private var mistakes: [String] = []
    private(set) var recordCount = 0
    /// Records that were sent more than once.
    private(set) var repetitions = 0

    var revisedWindows: Int { revisions.values.count { $0.count > 1 } }
    var windowCount: Int { revisions.count }
    var epochCount: Int { Set(numbers.keys.map(\.epoch)).count }
}

extension ChaosRollups {
    /// Reads what has come since the last time.
    mutating func readOn(from cluster: Cluster) async throws {
        let metadata = try await cluster.refreshMetadata()
        let partitions = try Self.topics.flatMap { name in
            let topic = try TopicName(name)
            return (0..<(metadata.partitionCount(of: topic) ?? 0)).map {
                TopicPartition(topic: topic, partition: PartitionIndex(Int32($0)))
            }
        }
        var ends = try await Admin(cluster: cluster).endOffsets(partitions)
        ends = ends.filter { positions[$0.key, default: 0] < $0.value }
        guard !ends.isEmpty else { return }
        let consumer = PartitionConsumer(
            cluster: cluster, starts: ends.reduce(into: [:]) { $0[$1.key] = positions[$1.key, default: 0] })
        defer { consumer.close() }
        for try await batch in consumer {
            for record in try batch.records { add(record, of: batch.topicPartition.topic) }
            positions[batch.topicPartition] = batch.nextOffset
            if ends.allSatisfy({ positions[$0.key, default: 0] >= $0.value }) { return }
        }
    }

    private mutating func add(_ record: Record, of topic: TopicName) {
        recordCount += 1
        let headers = record.headers.reduce(into: [:]) { $0[$1.key] = $1.value.map { String(buffer: $0) } }
        func integer(_ name: String) -> Int64? { headers[name].flatMap { Int64($0) } }
        guard let rule = headers["weir-rule"], let start = integer("weir-window-start"),
            let end = integer("weir-window-end"), start < end, let revision = integer("weir-revision"),
            let epoch = integer("weir-epoch"), let sequence = integer("weir-sequence"), let key = record.key,
            let value = record.value
        else {
            mistakes.append("a record of \(topic) without all headers: \(record.headers)")
            return
        }
        let place = Place(rule: rule, key: String(buffer: key), window: start...end)
        let version = Version(epoch: epoch, revision: revision)
        let text = String(buffer: value)
        let number = Number(topic: topic, epoch: epoch, sequence: sequence)
        last[place] = version
        if let known = numbers[number] {
            repetitions += 1
            if known.place != place || known.version != version || known.text != text {
                mistakes.append("number \(sequence) of epoch \(epoch) in \(topic) is of two records: \(known), \(text)")
            }
            return
        }
        numbers[number] = (place, version, text)
        let window = RuleWindow(rule: rule, window: place.window)
        if let other = revisions[window, default: [:]].updateValue(epoch, forKey: revision), other != epoch {
            mistakes.append("revision \(revision) of \(place) is of the epochs \(other) and \(epoch)")
        }
        if let known = latest[place], known.version >= version {
            if known.version == version { mistakes.append("\(place) has two results of \(version)") }
            return
        }
        latest[place] = (version, text)
    }

    /// The lines of all results that count.
    var lines: Set<String> {
        Set(latest.values.flatMap { $0.text.split(separator: "\n").map(String.init) })
    }

    /// What is not as docs/rules.md and decision 11 promise; `expected` is what the ledger gives.
    func problems(expected: Set<String>) -> [String] {
        let lines = lines
        var problems = mistakes
        problems += expected.subtracting(lines).sorted().map { "missing or of an older revision: \($0)" }
        problems += lines.subtracting(expected).sorted().map { "not what the ledger gives: \($0)" }
        for (stream, numbers) in Dictionary(grouping: numbers.keys, by: { "\($0.topic), epoch \($0.epoch)" }) {
            let sequences = Set(numbers.map(\.sequence))
            if sequences != Set(0..<Int64(sequences.count)) {
                problems.append("\(sequences.count) numbers of \(stream) reach up to \(sequences.max() ?? 0)")
            }
        }
        for (window, epochs) in revisions {
            let inOrder = epochs.sorted { $0.key < $1.key }
            if inOrder.map(\.key) != Array(1...Int64(epochs.count)) {
                problems.append("revisions of \(window): \(inOrder.map(\.key))")
            }
            if inOrder.map(\.value) != epochs.values.sorted() {
                problems.append("epochs of the revisions of \(window) go back: \(inOrder.map(\.value))")
            }
        }
        for (place, version) in last where latest[place]?.version != version {
            problems.append("the last record of \(place) in its partition is not the one that counts")
        }
        return problems
    }
}

extension ChaosRollups {
    /// The lines that the rules give for every window of what the ledgers have.
    static func expected(of ledgers: [ChaosLedger]) throws -> Set<String> {
        let series = try ledgers.flatMap(\.samples).map { text, samples in
            (
                labels: try Labels(parsing: text),
                samples: samples.map { Sample(timestamp: Timestamp(milliseconds: $0), value: $1) }
                    .sorted { $0.timestamp < $1.timestamp }
            )
        }
        var lines: Set<String> = []
        for rule in try RuleFile(parsing: rules, path: "chaos").rules.map(\.content) {
            let matching = series.filter { rule.matches($0.labels) }
            // Of each window the series that have samples in it, and what of them the window may look at.
            var members: [Window: [(labels: Labels, samples: [Sample])]] = [:]
            for series in matching {
                let windows = Set(series.samples.flatMap { Array(rule.windows.windows(containing: $0.timestamp)) })
                var first = 0
                for window in windows.sorted(by: { $0.start < $1.start }) {
                    while series.samples[first].timestamp < window.start - rule.reach { first += 1 }
                    let seen = series.samples[first...].prefix { $0.timestamp < window.end }
                    members[window, default: []].append((series.labels, Array(seen)))
                }
            }
            for (window, series) in members {
                var text = TextFormat.Writer()
                for row in rule.evaluate(window, series: series).rows {
                    text.append(row.labels, value: row.value, timestamp: window.end)
                }
                lines.formUnion(String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init))
            }
        }
        return lines
    }
}
