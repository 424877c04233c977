import Aggregation
import ArgumentParser
import MetricModel
import PromQL
import SeriesStore

/// `weir query`: reads series out of the database.
struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Read samples or windows out of the database with a Prometheus selector.",
        discussion: """
            Works while a subscriber writes. Without --step every sample or window of the last --last is shown; with \
            it, raw samples are taken at instants that far apart (the newest within 5m before each, as Prometheus does), \
            and windows are merged to that width.

              weir query 'node_load1' --last 15m
              weir query 'node_cpu_seconds_total{mode=~"idle|iowait"}' --resolution 1m --last 1h --format csv
            """)

    @Argument(help: "A metric name, matchers in braces, or both.")
    var selector: String

    @Option(help: ArgumentHelp("The SQLite file (default: ./weir-data/weir.sqlite).", valueName: "file"))
    var database: String?

    @Option(help: ArgumentHelp("How far to look back (default: 5m).", valueName: "duration"))
    var last: Duration?

    @Option(help: ArgumentHelp("Time between two results (default: as stored).", valueName: "duration"))
    var step: Duration?

    @Option(help: "raw for samples, 1m or 1h for windows (default: raw).")
    var resolution: QueryResolution?

    @Option(help: "table, json or csv (default: table).")
    var format: OutputFormat?

    @OptionGroup var common: CommonOptions

    func run() async throws {
        let settings = try await common.settings(for: "query")
        let format = try settings.value(format, "format", default: .table)
        let now = Timestamp.now()
        let last = try settings.value(last, "last", default: .seconds(300))
        guard last > .zero else { throw CommandError("--last must be longer than zero") }
        let query = SeriesQuery(
            selector: try VectorSelector(parsing: selector),
            from: now - last, to: now,
            step: try settings.value(step, "step"),
            resolution: try settings.value(resolution, "resolution", default: .raw))
        let reader = try SeriesReader(
            path: try settings.value(database, "database", default: "./weir-data/weir.sqlite"))
        defer { try? reader.close() }
        print(try query.run(on: reader).text(format), terminator: "")
    }
}

/// The widths in which data can be read.
enum QueryResolution: String, CaseIterable, ExpressibleByArgument {
    case raw
    case oneMinute = "1m"
    case oneHour = "1h"

    var windows: Resolution? {
        switch self {
        case .raw: nil
        case .oneMinute: .oneMinute
        case .oneHour: .oneHour
        }
    }
}
