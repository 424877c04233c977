internal import FoundationEssentials
internal import Glibc
internal import Synchronization

/// One process of ours: started in a process group of its own, its output in files, tied to this process by a ``Lifeline``.
///
/// Owned by whoever made it, who has to ``end(within:)`` it. Any thread; nothing here blocks but `waitpid` on a process
/// that is dead already.
final class ChildProcess: Sendable {
    /// How it ended.
    enum Ending: Equatable, Sendable, CustomStringConvertible {
        case exited(Int32)
        case signalled(Int32)

        var description: String {
            switch self {
            case .exited(let code): "status \(code)"
            case .signalled(let signal): "signal \(signal)"
            }
        }
    }

    /// What the kernel accounted for a process that has ended.
    struct Usage: Sendable {
        var ending: Ending
        var cpuSeconds: Double
        var peakBytes: Int
    }

    let identifier: pid_t
    let name: String
    private let errorPath: String
    private let usage = Mutex<Usage?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - arguments: without the program's own name.
    ///   - directory: its working directory; `NAME.out` and `NAME.err` are appended to there.
    init(
        _ program: String, _ arguments: [String], name: String, directory: String, lifeline: Lifeline
    ) throws(ProcessError) {
        self.name = name
        let errorPath = "\(directory)/\(name).err"
        self.errorPath = errorPath
        let (input, output) = (lifeline.readingEnd, "\(directory)/\(name).out")
        let child = lifeline.thread.run { () -> Result<pid_t, ProcessError> in
            Result { () throws(ProcessError) in
                try Self.spawn(program, arguments, input: input, output: output, errors: errorPath)
            }
        }
        identifier = try child.get()
    }

    private static func spawn(
        _ program: String, _ arguments: [String], input: Int32, output: String, errors: String
    ) throws(ProcessError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let append = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, append, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, append, 0o644)
        // A socket that is closed here would stay open in a child that has inherited it.
        try closeFromThree(&actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        // The terminal's Ctrl-C is for the parent, which ends its children in order.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))

        var argv = ([program] + arguments).map { strdup($0) } + [nil]
        var environment = environment().map { strdup($0) } + [nil]
        defer {
            argv.forEach { free($0) }
            environment.forEach { free($0) }
        }
        var child: pid_t = 0
        let code = posix_spawn(&child, program, &actions, &attributes, &argv, &environment)
        guard code == 0 else { throw ProcessError.cannotStart(program: program, code) }
        return child
    }

    deinit {
        if poll() == nil {
            Glibc.kill(-identifier, SIGKILL)
            _ = reap(0)
        }
    }

    /// Its usage if it has ended, without waiting.
    func poll() -> Usage? { reap(WNOHANG) }

    func signal(_ signal: Int32) {
        if poll() == nil { Glibc.kill(-identifier, signal) }
    }

    /// `SIGKILL`, then waits for the kernel to let go of it.
    @discardableResult
    func kill() -> Usage {
        signal(SIGKILL)
        return reap(0) ?? Usage(ending: .signalled(SIGKILL), cpuSeconds: 0, peakBytes: 0)
    }

    /// `SIGTERM`; `SIGKILL` if it is still there after `patience`.
    @discardableResult
    func end(within patience: Duration) async -> Usage {
        signal(SIGCONT)
        signal(SIGTERM)
        let deadline = ContinuousClock.now + patience
        while ContinuousClock.now < deadline {
            if let usage = poll() { return usage }
            // A cancelled task does not sleep; then there is no patience left either.
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { break }
        }
        return kill()
    }

    /// The last lines that it wrote to standard error, for messages.
    var lastWords: String {
        let text = FileManager.default.contents(atPath: errorPath).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = text.split(separator: "\n").suffix(3)
        return lines.isEmpty ? "nothing" : lines.joined(separator: " / ")
    }

    private func reap(_ options: Int32) -> Usage? {
        usage.withLock { usage in
            if let usage { return usage }
            var raw: Int32 = 0
            var resources = rusage()
            var result = wait4(identifier, &raw, options, &resources)
            while result == -1 && errno == EINTR { result = wait4(identifier, &raw, options, &resources) }
            guard result == identifier else { return nil }
            usage = Usage(
                ending: raw & 0x7F == 0 ? .exited((raw >> 8) & 0xFF) : .signalled(raw & 0x7F),
                cpuSeconds: resources.ru_utime.seconds + resources.ru_stime.seconds,
                peakBytes: resources.ru_maxrss * 1024)
            return usage
        }
    }

    /// `posix_spawn_file_actions_addclosefrom_np(actions, 3)`, which glibc has since 2.34 and Swift's module of it hides.
    private static func closeFromThree(
        _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>
    ) throws(ProcessError) {
        let name = "posix_spawn_file_actions_addclosefrom_np"
        typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, name) else { throw ProcessError.system(name, ENOSYS) }
        let code = unsafeBitCast(symbol, to: AddCloseFrom.self)(actions, 3)
        guard code == 0 else { throw ProcessError.system(name, code) }
    }

    /// Ours, but no settings: what a process of a stage does is said on its command line.
    private static func environment() -> [String] {
        ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("WEIR_") }.map { "\($0.key)=\($0.value)" }
            + ["\(Lifeline.variable)=1"]
    }
}

extension timeval {
    fileprivate var seconds: Double { Double(tv_sec) + Double(tv_usec) / 1_000_000 }
}
