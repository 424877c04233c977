/// Where a broker listens: a host name or address and a TCP port.
///
/// A value of the caller's; nothing is looked up until a connection is made.
public struct BrokerAddress: Hashable, Sendable {
    /// The port Kafka brokers use unless told otherwise.
    public static let defaultPort = 9092

    /// A host name, an IPv4 address or an IPv6 address without brackets.
    public let host: String
    /// 1…65535.
    public let port: Int

    public init(host: String, port: Int = BrokerAddress.defaultPort) {
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
    ///
    /// - Throws: ``InvalidBrokerAddress`` when there is no host, or the port is not 1…65535.
    public init(parsing text: String) throws(InvalidBrokerAddress) {
        var host = Substring(text.trimmingSpaces)
        var port: Substring?
        if host.first == "[" {
            guard let close = host.firstIndex(of: "]") else {
                throw InvalidBrokerAddress(text: text, reason: "the bracket is not closed")
            }
            let rest = host[host.index(after: close)...]
            guard rest.isEmpty || rest.first == ":" else {
                throw InvalidBrokerAddress(text: text, reason: "after the bracket comes :port or nothing")
            }
            port = rest.isEmpty ? nil : rest.dropFirst()
            host = host[host.index(after: host.startIndex)..<close]
        } else if let colon = host.firstIndex(of: ":") {
            port = host[host.index(after: colon)...]
            host = host[..<colon]
            if port?.contains(":") == true {
                throw InvalidBrokerAddress(text: text, reason: "an IPv6 address is written in brackets, [::1]:9092")
            }
        }
        guard !host.isEmpty, !host.contains(where: { $0.isWhitespace || $0 == "," || $0 == "/" }) else {
            throw InvalidBrokerAddress(text: text, reason: "there is no host name in it")
        }
        guard let port else {
            self.init(host: String(host))
            return
        }
        guard let number = Int(port), (1...65535).contains(number) else {
            throw InvalidBrokerAddress(text: text, reason: "the port is not a number from 1 to 65535")
        }
        self.init(host: String(host), port: number)
    }

    /// Reads a comma-separated list, as `bootstrap.servers` has it. At least one address.
    ///
    /// - Throws: ``InvalidBrokerAddress`` for the first part that is no address.
    public static func list(parsing text: String) throws(InvalidBrokerAddress) -> [BrokerAddress] {
        var addresses: [BrokerAddress] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            let address = try BrokerAddress(parsing: String(part))
            if !addresses.contains(address) { addresses.append(address) }
        }
        guard !addresses.isEmpty else { throw InvalidBrokerAddress(text: text, reason: "there is no host name in it") }
        return addresses
    }
}

extension BrokerAddress: CustomStringConvertible {
    /// `host:port`, with brackets around an IPv6 address.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A text that was meant to be a broker's address and is none.
public struct InvalidBrokerAddress: Error, Equatable, CustomStringConvertible {
    /// What was given.
    public let text: String
    /// What is wrong with it.
    public let reason: String

    public var description: String {
        "'\(text)' is not a broker address: \(reason); write host:port, for example 127.0.0.1:9092"
    }
}

extension String {
    fileprivate var trimmingSpaces: Substring {
        var text = Substring(self)
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
