/// Why the broker does not start, or a change to its files does not happen.
public enum BrokerError: Error, Sendable, Equatable {
    case addressInUse(host: String, port: Int)
    case cannotListen(host: String, port: Int, reason: String)
    case directoryUnusable(path: String, reason: String)
    /// Another process holds the lock; the reason names it and says what to do.
    case directoryLocked(reason: String)
    case damagedFile(path: String, reason: String)
    case storage(reason: String)
    case alreadyRun
}

extension BrokerError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .addressInUse(let host, let port):
            "port \(port) of \(host) is in use by another program; stop that program or choose another port"
        case .cannotListen(let host, let port, let reason):
            "cannot listen on \(host):\(port): \(reason); choose an address of this machine and a port that this "
                + "user may open"
        case .directoryUnusable(let path, let reason):
            "the data directory \(path) cannot be used: \(reason); choose another or give this user the right to "
                + "write there"
        case .directoryLocked(let reason):
            reason
        case .damagedFile(let path, let reason):
            "\(path) is damaged: \(reason); restore it from a backup or move it away"
        case .storage(let reason):
            reason
        case .alreadyRun:
            "a broker service runs once; make a new one"
        }
    }
}
