import ArgumentParser
import Logging
import ServiceLifecycle
import Topology

/// The flag of the commands that run for long: what they do and take, in a file, for programs that watch them.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Write what this process has done and taken (counters, CPU, memory, bytes) to this file as JSON, again and again \
            and at the end.
            """, valueName: "file"))
    var report: String?

    @Option(help: ArgumentHelp("Write the report this often (default: 1s).", valueName: "duration"))
    var reportEvery: Duration?

    /// The services of a command, with the one that reports of them in front, if there is to be one.
    func reporting(
        _ services: [any Service], as role: String, _ settings: Settings, logger: Logger,
        _ fill: @escaping @Sendable (inout ProcessReport) -> Void
    ) throws -> [any Service] {
        guard let path = try settings.value(report, "report") else { return services }
        let interval = try settings.value(reportEvery, "report-every", default: .seconds(1))
        guard interval >= .milliseconds(10) else { throw CommandError("--report-every is 10ms at least") }
        return [ReportService(to: path, role: role, every: interval, logger: logger, fill)] + services
    }
}
