import NIOCore

/// Both ends of a connection in text, for log lines and for telling clients how to reach the broker.
struct PeerAddress: Sendable {
    /// `host:port` of the client.
    let description: String
    let host: String
    /// The address of ours that the client reached.
    let localHost: String?
}

extension PeerAddress {
    init(remote: SocketAddress?, local: SocketAddress?) {
        let host = remote?.ipAddress.map(Self.withoutMapping) ?? ""
        self.description = remote.map { "\(host):\($0.port ?? 0)" } ?? "unknown"
        self.host = host
        self.localHost = local?.ipAddress.map(Self.withoutMapping)
    }

    /// An IPv4 client of an IPv6 listener has an address like `::ffff:10.0.0.1`.
    private static func withoutMapping(_ address: String) -> String {
        address.hasPrefix("::ffff:") && address.contains(".") ? String(address.dropFirst(7)) : address
    }
}
