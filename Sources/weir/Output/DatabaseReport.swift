import FoundationEssentials
import MetricModel
import SeriesStore
import Topology

/// What `weir database stats` writes.
struct DatabaseReport: Encodable {
    struct Count: Encodable {
        let name: String
        let count: Int

        init(_ count: DatabaseStatistics.Count) {
            name = count.name
            self.count = count.count
        }
    }

    struct RetentionUse: Encodable {
        let retention: String
        let series: Int
    }

    struct Overflow: Encodable {
        let limit: String
        let culprit: String
        let metric: String
        let label: String
        let labelValues: Int
        let refusedSeries: Int64
        let refusedSamples: Int64

        init(_ overflow: SeriesOverflow) {
            limit = overflow.cause.limit.rawValue
            culprit = overflow.cause.culprit
            metric = overflow.metric
            label = overflow.label
            labelValues = overflow.labelValues
            refusedSeries = overflow.series
            refusedSamples = overflow.samples
        }
    }

    let path: String
    let schemaVersion: Int
    let fileBytes: Int64
    let writeAheadLogBytes: Int64
    let freeBytes: Int64
    let series: Int
    let samples: Int64
    let sealedSamples: Int64
    let bytesPerSealedSample: Double?
    let minuteWindows: Int
    let hourWindows: Int
    let oldestSample: String?
    let newestSample: String?
    let metrics: [Count]
    let labels: [Count]
    let tables: [Count]
    let retentions: [RetentionUse]
    let overflow: [Overflow]

    init(path: String, statistics: DatabaseStatistics) {
        self.path = path
        schemaVersion = statistics.schemaVersion
        fileBytes = statistics.fileBytes
        writeAheadLogBytes = statistics.writeAheadLogBytes
        freeBytes = statistics.freeBytes
        series = statistics.series
        samples = statistics.samples
        sealedSamples = statistics.sealedSamples
        bytesPerSealedSample = statistics.bytesPerSealedSample.map { ($0 * 100).rounded() / 100 }
        minuteWindows = statistics.minuteWindows
        hourWindows = statistics.hourWindows
        oldestSample = statistics.oldestSample?.description
        newestSample = statistics.newestSample?.description
        metrics = statistics.metrics.map(Count.init)
        labels = statistics.labels.map(Count.init)
        tables = statistics.tableBytes.map(Count.init)
        retentions = statistics.retentions.map {
            RetentionUse(retention: $0.retention.description, series: $0.series)
        }
        overflow = statistics.overflow.map(Overflow.init)
    }

    func print(_ format: ListFormat) throws {
        switch format {
        case .json: try printJSON(self)
        case .table: Swift.print(text)
        }
    }

    private var text: String {
        var facts = TextTable([("what", .left), ("value", .left)])
        facts.append(["file", "\(ByteCount(Int(fileBytes))), of which \(ByteCount(Int(freeBytes))) free"])
        facts.append(["write-ahead log", "\(ByteCount(Int(writeAheadLogBytes)))"])
        facts.append(["series", "\(series)"])
        facts.append(["samples", "\(samples), \(sealedSamples) of them in chunks"])
        facts.append(["bytes per sample in chunks", bytesPerSealedSample.map { "\($0)" } ?? "–"])
        facts.append(["windows", "\(minuteWindows) of 1m, \(hourWindows) of 1h"])
        facts.append(["oldest sample", oldestSample ?? "–"])
        facts.append(["newest sample", newestSample ?? "–"])
        facts.append(["schema version", "\(schemaVersion)"])
        for use in retentions { facts.append(["kept: \(use.retention)", "\(use.series) series"]) }
        var parts = ["\(path)\n", facts.text]
        parts += Self.table(("metric", "series"), metrics)
        parts += Self.table(("label", "values"), labels)
        parts += Self.table(("table or index", "bytes"), tables)
        if !overflow.isEmpty {
            var table = TextTable([
                ("too many series of", .left), ("by its label", .left), ("values", .right), ("refused series", .right),
                ("refused samples", .right),
            ])
            for entry in overflow {
                table.append([
                    "\(entry.limit) \(entry.culprit)", entry.label, "\(entry.labelValues)", "\(entry.refusedSeries)",
                    "\(entry.refusedSamples)",
                ])
            }
            parts += ["", table.text]
        }
        return parts.joined(separator: "\n")
    }

    private static func table(_ titles: (String, String), _ counts: [Count]) -> [String] {
        guard !counts.isEmpty else { return [] }
        var table = TextTable([(titles.0, .left), (titles.1, .right)])
        for count in counts { table.append([count.name, "\(count.count)"]) }
        return ["", table.text]
    }
}
