import Logging
import ServiceLifecycle

/// A service that others do not depend on: when it cannot be made, or fails, that is said and the others go on.
struct SideService: Service {
    private let name: String
    private let logger: Logger
    private let make: @Sendable () async throws -> any Service

    init(_ name: String, logger: Logger, make: @escaping @Sendable () async throws -> any Service) {
        self.name = name
        self.logger = logger
        self.make = make
    }

    /// Ends when all services are shut down, never before.
    func run() async throws {
        do {
            try await make().run()
        } catch {
            // Whoever it waited for has failed, and says so itself, or is being shut down.
            if !Task.isCancelled && !Task.isShuttingDownGracefully {
                logger.warning("\(name): this process goes on without it: \(error)")
            }
        }
        try? await gracefulShutdown()
    }
}

extension SideService: CustomStringConvertible {
    var description: String { name }
}
