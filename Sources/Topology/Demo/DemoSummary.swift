import Aggregation
public import KafkaClient
import MetricModel
import SeriesStore

/// What the demo says at its end: this host's latest aggregates, read back from the database, and what to try next.
public struct DemoSummary: Sendable {
    public let text: String

    /// Reads the demo's database; blocks on the disk.
    ///
    /// - Parameter program: how the user started `weir`, for the commands that are suggested.
    /// - Throws: `StoreError` if the database cannot be read.
    public init(
        configuration: DemoConfiguration, brokerAddress: BrokerAddress, program: String = CommandLine.arguments[0]
    ) throws {
        let reader = try SeriesReader(path: configuration.databasePath)
        defer { try? reader.close() }
        let table = try Self.table(reader)
        let program = program.quotedForTheShell
        let database = configuration.databasePath.quotedForTheShell
        let stored = "\(try reader.seriesCount()) series in \(ByteCount(Int(reader.byteCount)))"
        text = """

            This host, over its latest minute (\(stored)):

            \(table.text)

            Try next:
              \(program) query --database \(database) 'node_load1' --last 5m
              \(program) query --database \(database) 'node_cpu_seconds_total{mode="idle"}' --resolution 1m
              sqlite3 -box \(database) "SELECT time, series, count, min, mean, max FROM minutes WHERE metric = 'node_load1' ORDER BY start DESC LIMIT 5"
            and while the demo runs:
              kcat -b \(brokerAddress) -L
              kcat -b \(brokerAddress) -C -t metrics.cpu -c 5
              echo 'room_temperature_celsius{room="lab"} 21.5' | kcat -P -b \(brokerAddress) -t metrics.custom -k lab
            """
    }

    /// What is shown of each kind of metric, in this order; a kind's other series are only counted.
    private static let kinds: [(name: String, metrics: [String])] = [
        ("cpu", ["node_cpu_seconds_total"]),
        ("memory", ["node_memory_MemTotal_bytes", "node_memory_MemAvailable_bytes", "node_memory_Cached_bytes"]),
        ("load", ["node_load1", "node_load5", "node_load15"]),
        ("filesystem", ["node_filesystem_size_bytes", "node_filesystem_avail_bytes"]),
        ("disk", ["node_disk_read_bytes_total", "node_disk_written_bytes_total"]),
        ("network", ["node_network_receive_bytes_total", "node_network_transmit_bytes_total"]),
    ]
    private static let rowsPerMetric = 4

    private static func table(_ reader: SeriesReader) throws -> TextTable {
        var table = TextTable([
            ("kind", .left), ("series", .left), ("last", .right), ("mean", .right), ("per second", .right),
            ("samples", .right),
        ])
        for kind in kinds {
            var name = kind.name
            for metric in kind.metrics {
                let rows = try rows(of: metric, reader)
                for row in rows.prefix(rowsPerMetric) {
                    table.append([name] + row.cells)
                    name = ""
                }
                if rows.count > rowsPerMetric {
                    table.append(["", "… and \(rows.count - rowsPerMetric) more of \(metric)"])
                }
            }
        }
        return table
    }

    /// A row for each series that has a sample in the newest minute of its metric, the busiest first.
    private static func rows(of metric: String, _ reader: SeriesReader) throws -> [DemoSummaryRow] {
        let series = try reader.series(matching: [LabelMatcher(Label.metricName, equals: metric)])
        let now = Timestamp.now()
        let windows = try reader.windows(
            of: series.map(\.id), resolution: .oneMinute, from: now - .seconds(180), to: now + .seconds(60))
        return series.compactMap { series in
            guard let recent = windows[series.id]?.suffix(2), var aggregate = recent.first?.aggregate else {
                return nil
            }
            recent.dropFirst().forEach { aggregate.merge($0.aggregate) }
            return DemoSummaryRow(labels: series.labels, aggregate: aggregate)
        }.sorted { $0.weight > $1.weight }
    }
}

/// One series in the closing table.
struct DemoSummaryRow {
    let labels: Labels
    let aggregate: WindowAggregate

    private var isCounter: Bool { labels.metricName.hasSuffix("_total") }
    private var isBytes: Bool { labels.metricName.contains("_bytes") }

    /// A counter's growth in a second; nil for a gauge and before there is a second sample.
    private var perSecond: Double? {
        let seconds = Double((aggregate.last.timestamp - aggregate.first.timestamp).wholeMilliseconds) / 1000
        guard isCounter, seconds > 0 else { return nil }
        return (aggregate.last.value - aggregate.first.value) / seconds
    }

    /// What rows are sorted by: a counter's growth, a gauge's value.
    var weight: Double { perSecond ?? (isCounter ? 0 : aggregate.last.value) }

    var cells: [String] {
        [
            "\(labels.removing("instance"))".cut(to: 76),
            number(aggregate.last.value),
            isCounter ? "" : number(aggregate.mean),
            perSecond.map { number($0) + (isBytes ? "/s" : "") } ?? "",
            "\(aggregate.count)",
        ]
    }

    private func number(_ value: Double) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
        if isBytes, value >= 0 { return "\(ByteCount(Int(value)))" }
        let thousandths = Int((value.magnitude * 1000).rounded())
        let fraction = "\(1000 + thousandths % 1000)".dropFirst()
        return "\(value < 0 ? "-" : "")\(thousandths / 1000).\(fraction)"
    }
}

extension String {
    /// The text, or as much of its beginning as fits with an ellipsis.
    fileprivate func cut(to width: Int) -> String { count <= width ? self : prefix(width - 1) + "…" }
}
