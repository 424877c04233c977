internal import FoundationEssentials
internal import Glibc

/// Where the processes of a comparison keep their files: a directory that the user names and that is kept, or a temporary
/// one that goes with it.
public struct ComparisonDirectory: Sendable {
    public let path: String
    private let isTemporary: Bool

    /// - Throws: `CocoaError` or ``ProcessError`` if it cannot be made.
    public init(_ path: String?) throws {
        if let path {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            self.path = path
            isTemporary = false
        } else {
            let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
            let name = "weir-compare-\(getpid())-\(String(UInt32.random(in: 0 ... .max), radix: 36))"
            self.path = "\(parent)/\(name)"
            guard mkdir(self.path, 0o700) == 0 else { throw ProcessError.system("mkdir \(self.path)", errno) }
            isTemporary = true
        }
    }

    /// Removes it with everything in it, if it is temporary.
    public func remove() {
        // What cannot be removed stays in the temporary directory; there is nothing to be done about it.
        if isTemporary { try? FileManager.default.removeItem(atPath: path) }
    }
}
