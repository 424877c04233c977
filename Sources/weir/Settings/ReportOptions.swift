import ArgumentParser
import Logging
import ServiceLifecycle
import Topology

/// The flag of the commands that run for long: what they do and take, in a file, for programs that watch them.
struct ReportOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            Write what this process has done and taken (counters, CPU, memory, bytes) to this file as JSON, once a second \
            and at the end.
            """, valueName: "file"))
    var report: String?

    /// The services of a command, with the one that reports of them in front, if there is to be one.
    func reporting(
        _ services: [any Service], as role: String, _ settings: Settings, logger: Logger,
        _ fill: @escaping @Sendable (inout ProcessReport) -> Void
    ) throws -> [any Service] {
        guard let path = try settings.value(report, "report") else { return services }
        return [ReportService(to: path, role: role, logger: logger, fill)] + services
    }
}
