/// Where a subscriber listens for publishers that reach it without a broker.
public struct DirectListening: Sendable {
    public var host: String
    /// 0 lets the system choose one.
    public var port: Int
    /// The topic of lines that come without a record around them.
    public var topic = "metrics.direct"
    public var limits = DirectLimits()

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}

/// Why a subscriber cannot listen.
public enum DirectListenError: Error, Equatable, CustomStringConvertible {
    case addressInUse(host: String, port: Int)
    case cannotListen(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .addressInUse(let host, let port):
            "port \(port) of \(host) is in use; stop the program that listens there, or give another port (--direct)"
        case .cannotListen(let host, let port, let reason): "cannot listen on \(host):\(port): \(reason)"
        }
    }
}
