import Glibc
import Synchronization

/// A port of 127.0.0.1 that nobody listens on and that nobody will be given by the system: for a server that has to come
/// back where it was, and for an address where nothing is to answer.
///
/// Port 0 will not do for these: a port that the system chose may be given to another test as soon as its server is
/// stopped. This one lies below the range the system chooses from, and each call gives another.
public func freePort() throws -> Int {
    for _ in 0..<10_000 {
        let port = candidates.withLock { candidates in candidates.next() }
        if try isFree(port) { return port }
    }
    throw TestKitError.process("there is no free port below the system's own range")
}

private let candidates = Mutex(Candidates())

/// The ports from 10000 up to the system's range, round and round, from a place of this process's own.
private struct Candidates {
    private static let ports = 10_000..<32_768
    private var position = Int(getpid()) * 97 % ports.count

    mutating func next() -> Int {
        position = (position + 1) % Self.ports.count
        return Self.ports.lowerBound + position
    }
}

private func isFree(_ port: Int) throws -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw TestKitError.systemCall("socket", errno) }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
