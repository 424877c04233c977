import FoundationEssentials
public import Glibc
import Synchronization

/// A program started for a test: its standard output and error go to files, it can be sent signals and waited for, and
/// it dies with the value (and with the test's process, should that be killed).
public final class ChildProcess: Sendable {
    public let identifier: pid_t
    public let outputPath: String
    public let errorPath: String
    private let status = Mutex<ExitStatus?>(nil)

    /// How a process ended.
    public enum ExitStatus: Equatable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        public var description: String {
            switch self {
            case .exited(let code): "exit status \(code)"
            case .signalled(let signal): "killed by signal \(signal)"
            }
        }
    }

    /// Starts `executable` (a path) in a process group of its own.
    ///
    /// - Parameters:
    ///   - arguments: without the program's own name.
    ///   - directory: where `NAME.out` and `NAME.err` are appended to.
    ///   - input: what the program reads from standard input; nothing by default.
    public init(
        _ executable: String, _ arguments: [String], name: String, directory: String,
        environment: [String: String] = [:], input: String? = nil
    ) throws {
        outputPath = "\(directory)/\(name).out"
        errorPath = "\(directory)/\(name).err"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var inputPath = "/dev/null"
        if let input {
            inputPath = "\(directory)/\(name).in"
            try input.write(toFile: inputPath, atomically: false, encoding: .utf8)
        }
        let append = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, inputPath, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, append, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errorPath, append, 0o644)
        // Sockets of tests that run beside this one would stay open in the child after they are closed here.
        try closeFromThree(&actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // A test runner may block signals in its threads; the child must be able to receive them.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        var argv = ([executable] + arguments).map { strdup($0) } + [nil]
        var envp = Self.environment(adding: environment).map { strdup($0) } + [nil]
        defer {
            argv.forEach { free($0) }
            envp.forEach { free($0) }
        }
        var child: pid_t = 0
        let code = posix_spawn(&child, executable, &actions, &attributes, &argv, &envp)
        guard code == 0 else {
            throw TestKitError.process("cannot start \(executable): \(String(cString: strerror(code)))")
        }
        identifier = child
    }

    deinit {
        if poll() == nil {
            Glibc.kill(-identifier, SIGKILL)
            _ = waitBlocking()
        }
    }

    public func signal(_ signal: Int32) { if poll() == nil { Glibc.kill(identifier, signal) } }

    /// `SIGKILL`, then waits until the process is gone.
    public func kill() {
        signal(SIGKILL)
        _ = waitBlocking()
    }

    /// The exit status if the process has ended, without waiting.
    public func poll() -> ExitStatus? { reap(WNOHANG) }

    /// Waits until the process ends; throws ``TestKitError/deadline(_:)`` if it does not within `deadline`.
    public func wait(within deadline: Duration = .seconds(20)) async throws -> ExitStatus {
        try await eventually("process \(identifier) ends", within: deadline) { poll() != nil }
        return waitBlocking()
    }

    /// Everything written to standard output so far.
    public var output: String { Self.read(outputPath) }
    /// Everything written to standard error so far.
    public var errorOutput: String { Self.read(errorPath) }

    private func waitBlocking() -> ExitStatus { reap(0) ?? .exited(-1) }

    private func reap(_ options: Int32) -> ExitStatus? {
        status.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            var result = waitpid(identifier, &raw, options)
            while result == -1 && errno == EINTR { result = waitpid(identifier, &raw, options) }
            guard result == identifier else { return nil }
            status = raw & 0x7F == 0 ? .exited((raw >> 8) & 0xFF) : .signalled(raw & 0x7F)
            return status
        }
    }

    private static func environment(adding extra: [String: String]) -> [String] {
        ProcessInfo.processInfo.environment.merging(extra) { $1 }.map { "\($0.key)=\($0.value)" }
    }

    private static func read(_ path: String) -> String {
        FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}

/// `posix_spawn_file_actions_addclosefrom_np(actions, 3)`, which glibc has since 2.34 and Swift's module of it hides.
private func closeFromThree(_ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>) throws {
    typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
    guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
        throw TestKitError.process("this C library cannot close a child's descriptors; the tests need glibc 2.34")
    }
    let code = unsafeBitCast(symbol, to: AddCloseFrom.self)(actions, 3)
    guard code == 0 else { throw TestKitError.systemCall("posix_spawn_file_actions_addclosefrom_np", code) }
}

/// The path of a program that the package builds, beside the running test bundle.
public func builtExecutable(_ name: String) throws -> String {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let path = own.prefix(through: own.lastIndex(of: "/") ?? own.startIndex) + name
    guard access(String(path), X_OK) == 0 else {
        throw TestKitError.process("\(path) is not built: run swift build --build-tests")
    }
    return String(path)
}
