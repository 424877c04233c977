internal import Glibc

/// Ties processes to the one that started them, so that they are gone when it is, whatever ended it.
///
/// The parent holds the only writing end of a pipe whose reading end is its children's standard input. The kernel closes
/// it with the parent, also after `kill -9`; a child's thread that reads from it sees the end and exits. A child that is
/// stopped (`SIGSTOP`) at that moment cannot read; it is in a process group of its own, which the parent's end orphans, and
/// to an orphaned group with stopped members the kernel sends `SIGHUP` and `SIGCONT`. (One whose threads are just about to
/// stop when the parent is killed, within milliseconds, is missed by both.)
///
/// `PR_SET_PDEATHSIG` would not do: it fires when the *thread* that started the child ends, which threads of a pool do.
public final class Lifeline: Sendable {
    /// Set in the environment of a child that is to end with its parent.
    public static let variable = "WEIR_ENDS_WITH_STANDARD_INPUT"

    /// What children get as their standard input.
    let readingEnd: Int32
    private let writingEnd: Int32

    /// - Throws: ``ProcessError`` if the system has no descriptors left.
    init() throws(ProcessError) {
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

/// A process that could not be started, or did not do what it was started for.
public enum ProcessError: Error, Sendable, CustomStringConvertible {
    case system(String, Int32)
    case cannotStart(program: String, Int32)
    /// It ended by itself.
    case ended(name: String, String, lastWords: String)
    /// It did not get ready in time.
    case notReady(name: String, what: String, lastWords: String)

    public var description: String {
        switch self {
        case .system(let call, let code): "\(call): \(String(cString: strerror(code)))"
        case .cannotStart(let program, let code): "cannot start \(program): \(String(cString: strerror(code)))"
        case .ended(let name, let how, let words): "\(name) ended with \(how); it said: \(words)"
        case .notReady(let name, let what, let words): "\(name) did not \(what) in time; it said: \(words)"
        }
    }
}
