import FoundationEssentials
import Glibc

/// A directory of its own for one test, removed with everything in it when the value goes out of scope.
public final class TemporaryDirectory: Sendable {
    public let path: String

    /// Creates an empty directory below `$TMPDIR` (or `/tmp`).
    public init(_ name: String = "weir") throws {
        let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(parent)/\(name)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestKitError.systemCall("mkdtemp", errno) }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit { removeTree(path) }

    /// The path of `name` inside this directory; nothing is created.
    public func appending(_ name: String) -> String { "\(path)/\(name)" }
}

/// Removes a file, or a directory with everything below it; what is not there is no error.
public func removeTree(_ path: String) {
    try? FileManager.default.removeItem(atPath: path)
}

/// What went wrong in the tests' own tools.
public enum TestKitError: Error, CustomStringConvertible {
    case systemCall(String, Int32)
    case deadline(String)
    case process(String)

    public var description: String {
        switch self {
        case .systemCall(let call, let code): "\(call): \(String(cString: strerror(code)))"
        case .deadline(let what): "did not happen before the deadline: \(what)"
        case .process(let what): what
        }
    }
}
