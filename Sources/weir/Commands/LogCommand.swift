import ArgumentParser
import CommitLog

/// `weir log`: looks into the files of a log.
struct LogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Look into the files of a log.", subcommands: [Dump.self])

    struct Dump: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "dump",
            abstract: "Say in words what is in segment files: batches, records, index entries, damage.",
            usage: "weir log dump <path> [--records] [--format <format>]",
            discussion: """
                Reads a partition's directory, or one .log, .index or .timeindex file of it; also Apache Kafka's. Every \
                batch's CRC is checked, and every index entry against the log. Nothing is changed, so it may be a log that is \
                in use; then the last batch can look torn. Ends with status 1 when anything is damaged.

                  weir log dump weir-data/broker/metrics.cpu-0
                  weir log dump weir-data/broker/metrics.cpu-0/00000000000000000000.log --records
                """)

        @Argument(help: "A partition's directory, or one of its files.")
        var path: String

        @Flag(help: "Also every record.")
        var records = false

        @Option(help: "text, or json for one object a line.")
        var format = DumpFormat.text

        func run() async throws {
            var printer = LogDumpPrinter(format: format)
            try LogDump(path, includesRecords: records).run { printer.print($0) }
            printer.finish()
            if printer.damageCount > 0 { throw ExitCode.failure }
        }
    }
}

/// How a dump is written.
enum DumpFormat: String, CaseIterable, ExpressibleByArgument {
    case text, json
}
