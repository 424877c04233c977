import ArgumentParser
import SeriesStore
import Topology

/// `weir database`: looks after a subscriber's database, while the subscriber runs or not.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "database",
        abstract: "Look after a subscriber's SQLite file: statistics, check, backup.",
        discussion: "All of these read one committed state and may run while a subscriber writes.",
        subcommands: [Stats.self, Check.self, Backup.self])

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stats",
            abstract: "Say how much is in the database, what it takes, and which metrics and labels are the largest.")

        @OptionGroup var file: DatabaseOptions

        @Option(help: ArgumentHelp("How many metrics and labels to name (default: 10).", valueName: "count"))
        var top = 10

        @Option(help: "table or json (default: table).")
        var format: ListFormat?

        func run() async throws {
            guard top >= 0 else { throw CommandError("--top must not be negative") }
            let settings = try await file.settings()
            let format = try settings.value(format, "format", default: .table)
            let reader = try SeriesReader(path: try file.path(settings))
            defer { try? reader.close() }
            try DatabaseReport(path: reader.path, statistics: try reader.statistics(top: top)).print(format)
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Check SQLite's pages, every chunk, and every window against its samples.",
            discussion: """
                Windows that outlive their samples cannot be compared. Ends with status 1 when anything is wrong.
                """)

        @OptionGroup var file: DatabaseOptions

        @Option(help: "table or json (default: table).")
        var format: ListFormat?

        func run() async throws {
            let settings = try await file.settings()
            let format = try settings.value(format, "format", default: .table)
            let path = try file.path(settings)
            var progress = ProgressLine()
            let report = try DatabaseCheck(path: path) { step in
                let share = step.share.map { " \(Int($0 * 100)) %" } ?? ""
                progress.show("checking \(step.step)\(share)")
            }.run()
            progress.clear()
            switch format {
            case .json: try printJSON(CheckResult(path: path, report))
            case .table:
                for finding in report.findings { print(finding) }
                if report.isCut { print("… and more") }
                print(
                    """
                    \(path): \(report.findings.isEmpty ? "no damage" : "\(report.findings.count) findings") in \
                    \(report.series) series, \(report.samples) samples, \(report.chunks) chunks; \
                    \(report.comparedWindows) windows equal their samples
                    """)
            }
            if !report.findings.isEmpty { throw ExitCode.failure }
        }
    }

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Copy the database into a new file, without holding up who writes it.",
            discussion: """
                The copy is one committed state, samples with the offsets they came from: a subscriber that is started \
                on it reads the topics on from there. It appears under its name when it is whole.
                """)

        @OptionGroup var file: DatabaseOptions

        @Argument(help: "The new file.")
        var target: String

        func run() async throws {
            let path = try file.path(try await file.settings())
            try DatabaseBackup.run(from: path, to: target)
            let reader = try SeriesReader(path: target)
            defer { try? reader.close() }
            print("\(target): \(ByteCount(Int(reader.byteCount))), \(try reader.seriesCount()) series")
        }
    }
}

/// The flags that say which database.
struct DatabaseOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The SQLite file (default: ./weir-data/weir.sqlite).", valueName: "file"))
    var database: String?

    @OptionGroup var common: CommonOptions

    func settings() async throws -> Settings { try await common.settings(for: "database") }

    func path(_ settings: Settings) throws -> String {
        try settings.value(database, "database", default: "./weir-data/weir.sqlite")
    }
}

/// What `weir database check --format json` writes.
private struct CheckResult: Encodable {
    let path: String
    let findings: [String]
    let isCut: Bool
    let series: Int
    let samples: Int64
    let chunks: Int64
    let comparedWindows: Int64

    init(path: String, _ report: DatabaseCheck.Report) {
        self.path = path
        findings = report.findings.map(\.description)
        isCut = report.isCut
        series = report.series
        samples = report.samples
        chunks = report.chunks
        comparedWindows = report.comparedWindows
    }
}
