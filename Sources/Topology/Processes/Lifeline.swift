internal import Glibc

/// Ties processes to the one that started them, so that they are gone when it is, whatever ended it. In two ways, since
/// each leaves a gap that the other closes:
///
/// - A child asks the kernel to kill it when the thread that started it ends (`PR_SET_PDEATHSIG`), which is a
///   ``SpawningThread`` that lives as long as the parent does. `SIGKILL` also ends a child that is stopped (`SIGSTOP`), or
///   just about to be.
/// - The parent holds the only writing end of a pipe whose reading end is its children's standard input. The kernel closes
///   it with the parent, also after `kill -9`; a child's thread that reads from it sees the end and exits. That covers a
///   child whose parent ended before it had asked.
public final class Lifeline: Sendable {
    /// Set in the environment of a child that is to end with its parent.
    public static let variable = "WEIR_ENDS_WITH_STANDARD_INPUT"

    /// What children get as their standard input.
    let readingEnd: Int32
    private let writingEnd: Int32
    /// What children are started on.
    let thread: SpawningThread

    /// - Throws: ``ProcessError`` if the system has no descriptors or no threads left.
    init() throws(ProcessError) {
        thread = try SpawningThread()
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ProcessError.system("pipe", errno) }
        // Whoever inherited the writing end would keep the children alive.
        for end in ends where fcntl(end, F_SETFD, FD_CLOEXEC) == -1 { throw ProcessError.system("fcntl", errno) }
        (readingEnd, writingEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readingEnd)
        close(writingEnd)
    }

    /// In a child, first thing: has a thread of its own wait for the parent's end. Without the variable: nothing.
    public static func followParent() {
        guard getenv(variable) != nil else { return }
        // What this process starts is not its parent's child.
        unsetenv(variable)
        endWithParentThread()
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { _ in
                var byte: UInt8 = 0
                while true {
                    let count = read(STDIN_FILENO, &byte, 1)
                    if count == 0 || (count < 0 && errno != EINTR) { _exit(EXIT_FAILURE) }
                }
            }, nil)
        if code == 0 { pthread_detach(thread) }
    }
}

extension Lifeline {
    /// `prctl(PR_SET_PDEATHSIG, SIGKILL)`, whose variadic declaration Swift does not import. Where there is no such call the
    /// pipe has to do.
    private static func endWithParentThread() {
        let deathSignal: Int32 = 1  // PR_SET_PDEATHSIG of <linux/prctl.h>
        typealias Control = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
        guard let symbol = dlsym(nil, "prctl") else { return }
        _ = unsafeBitCast(symbol, to: Control.self)(deathSignal, UInt(SIGKILL), 0, 0, 0)
    }
}

/// A process that could not be started, or did not do what it was started for.
public enum ProcessError: Error, Sendable, CustomStringConvertible {
    case system(String, Int32)
    case cannotStart(program: String, Int32)
    /// It ended by itself.
    case ended(name: String, String, lastWords: String)
    /// It did not get ready in time.
    case notReady(name: String, what: String, lastWords: String)
    /// No regular expression.
    case topicPattern(String)

    public var description: String {
        switch self {
        case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
        case .cannotStart(let program, let code): "cannot start \(program): \(String(cString: strerror(code)))"
        case .ended(let name, let how, let words): "\(name) ended with \(how); it said: \(words)"
        case .notReady(let name, let what, let words): "\(name) did not \(what) in time; it said: \(words)"
        case .topicPattern(let pattern): "'\(pattern)' is no regular expression"
        }
    }
}
