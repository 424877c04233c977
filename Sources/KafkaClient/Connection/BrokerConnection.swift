import KafkaProtocol
import NIOCore

/// A connection that is ready for use: connected, and the versions are agreed.
///
/// Owned by ``ConnectionPool``. Requests of any number of tasks are pipelined; a broker answers them in order, so a
/// request that waits on purpose belongs on a ``ConnectionLane`` of its own.
final class BrokerConnection: Sendable {
    private let wire: RequestChannel
    private let versions: VersionTable

    private init(wire: RequestChannel, versions: VersionTable) {
        self.wire = wire
        self.versions = versions
    }

    var address: BrokerAddress { wire.address }
    var isOpen: Bool { wire.isOpen }

    func close(_ error: KafkaClientError = .closed) {
        wire.close(error)
    }

    /// Asks a fresh connection for the broker's versions.
    ///
    /// A broker that is older than our ApiVersions answers UNSUPPORTED_VERSION in the form of version 0 (KIP-511);
    /// then version 0 is used.
    static func negotiate(over wire: RequestChannel, timeout: Duration) async throws -> BrokerConnection {
        var request = ApiVersionsRequest()
        request.clientSoftwareName = "weir"
        request.clientSoftwareVersion = "0"
        let version = min(3, ApiVersionsRequest.supportedVersions.upperBound)
        let bytes = try await wire.exchange(request, version: version, timeout: timeout, expectsAnswer: true)
        // The error code follows the correlation id in every version.
        let code = bytes.getInteger(at: bytes.readerIndex + 4, as: Int16.self) ?? 0
        let answer: ApiVersionsResponse
        if code == ErrorCode.unsupportedVersion.rawValue {
            answer = try await wire.send(ApiVersionsRequest(), version: 0, timeout: timeout)
        } else {
            answer = try wire.decode(bytes, of: ApiVersionsRequest.self, version: version)
        }
        guard answer.errorCode == .none else {
            throw KafkaClientError.refused(answer.errorCode, subject: "ApiVersions of \(wire.address)", message: nil)
        }
        return BrokerConnection(wire: wire, versions: VersionTable(answer))
    }

    /// One request and its answer, in the highest version both sides speak. `build` gets that version.
    func send<Request: KafkaRequest>(
        notAbove maximum: Int16 = .max, timeout: Duration, expectsAnswer: Bool = true,
        build: (Int16) throws -> Request
    ) async throws -> Request.Response {
        guard let version = versions.version(of: Request.self, notAbove: maximum) else {
            throw KafkaClientError.unsupported(address, request: "\(Request.apiKey)")
        }
        let request = try build(version)
        return try await wire.send(request, version: version, timeout: timeout, expectsAnswer: expectsAnswer)
    }
}
