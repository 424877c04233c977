public import ArgumentParser
import Glibc
public import Logging

/// The flags that every command takes.
struct CommonOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take settings from this YAML file.", valueName: "file"))
    var config: String?

    func settings(for section: String) async throws -> Settings {
        try await Settings(section: section, file: config)
    }
}

/// The flag of the commands that log: to standard error, one line an event.
struct LogOptions: ParsableArguments {
    @Option(help: "How much to log: trace, debug, info, notice, warning, error or critical.")
    var logLevel: Logger.Level?

    func logger(_ settings: Settings, _ label: String, default level: Logger.Level = .info) throws -> Logger {
        var logger = Logger(label: label) { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = try settings.value(logLevel, "log-level", default: level)
        return logger
    }
}

extension Logger.Level: @retroactive ExpressibleByArgument {}
