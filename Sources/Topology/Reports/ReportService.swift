internal import FoundationEssentials
public import Logging
public import ServiceLifecycle

/// Writes a process's report to a file again and again, once a second where nothing else is asked for, and when everything else has ended: another file first, which then
/// takes the report's place, so that whoever reads finds a whole one. To be the first of its `ServiceGroup`, which ends it
/// last.
public struct ReportService: Service {
    private let path: String
    private let role: String
    private let interval: Duration
    private let logger: Logger
    private let fill: @Sendable (inout ProcessReport) -> Void

    /// - Parameter fill: adds the services' sections.
    public init(
        to path: String, role: String, every interval: Duration = .seconds(1), logger: Logger,
        _ fill: @escaping @Sendable (inout ProcessReport) -> Void
    ) {
        self.path = path
        self.role = role
        self.interval = interval
        self.logger = logger
        self.fill = fill
    }

    public func run() async throws {
        try? await cancelWhenGracefulShutdown {
            var isWritten = true
            while true {
                let couldWrite = write(isFinal: false)
                if isWritten, !couldWrite { logger.error("the report \(path) cannot be written; this process goes on") }
                isWritten = couldWrite
                try await Task.sleep(for: interval)
            }
        }
        if !write(isFinal: true) { logger.error("the last report \(path) cannot be written") }
    }

    /// The report as it stands now.
    public static func report(
        role: String, isFinal: Bool, _ fill: (inout ProcessReport) -> Void
    ) -> ProcessReport {
        var report = ProcessReport(role: role)
        fill(&report)
        report.final = isFinal
        return report
    }

    /// A few kilobytes into the page cache, which no task has to wait for long.
    private func write(isFinal: Bool) -> Bool {
        let report = Self.report(role: role, isFinal: isFinal, fill)
        do {
            try report.json().write(to: URL(filePath: path), options: .atomic)
            return true
        } catch {
            return false
        }
    }
}

extension ReportService: CustomStringConvertible {
    public var description: String { "report" }
}
