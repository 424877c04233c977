public import ServiceLifecycle

/// A service that is made when it is its turn to run: for a part that needs to know what an earlier one found out, such as
/// the port that the system gave to a broker.
public struct DeferredService: Service {
    private let name: String
    private let make: @Sendable () async throws -> any Service

    public init(_ name: String, make: @escaping @Sendable () async throws -> any Service) {
        self.name = name
        self.make = make
    }

    public func run() async throws {
        try await make().run()
    }
}

extension DeferredService: CustomStringConvertible {
    public var description: String { name }
}
