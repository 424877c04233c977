import Logging
import ServiceLifecycle
import UnixSignals

/// Runs the services of one command until SIGTERM, Ctrl-C or the end of one of them.
///
/// They start in order and shut down in the reverse: whoever feeds others comes last and stops first.
func run(_ services: [any Service], logger: Logger) async throws {
    var configuration = ServiceGroupConfiguration(
        services: services.map { .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup) },
        gracefulShutdownSignals: [.sigterm, .sigint],
        logger: quiet(logger))
    configuration.maximumGracefulShutdownDuration = .seconds(2)
    try await ServiceGroup(configuration: configuration).run()
}

/// The group's own logger tells of its mechanics; our services tell what matters to the user.
private func quiet(_ logger: Logger) -> Logger {
    var logger = logger
    logger.logLevel = max(logger.logLevel, .error)
    return logger
}
