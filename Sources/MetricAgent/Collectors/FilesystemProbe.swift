import Dispatch
import Glibc
import Synchronization

/// Asks file systems how full they are, and does not wait long for one that does not answer, such as NFS with its
/// server gone, where statvfs hangs for as long as the server is away.
///
/// Questions are asked on a thread of the probe's own. When an answer is late, that thread is left behind, its mount
/// counts as stuck and is not asked again until the thread has come back, and another thread takes over. So a dead mount
/// costs one thread and one timeout in all.
final class FilesystemProbe: Sendable {
    /// Bytes and file nodes of one file system.
    struct Usage: Sendable {
        var sizeBytes = 0.0
        var freeBytes = 0.0
        /// Free to users that are not root.
        var availableBytes = 0.0
        var files = 0.0
        var freeFiles = 0.0
    }

    enum Answer: Sendable {
        case usage(Usage)
        case failed(String)

        var error: String? {
            if case .failed(let reason) = self { return reason }
            return nil
        }
    }

    private struct State {
        var thread = FilesystemProbe.makeThread()
        var stuck: Set<String> = []
    }

    private let timeout: Duration
    private let question: @Sendable (String) -> Answer
    private let state = Mutex(State())

    init(
        timeout: Duration = .seconds(1),
        question: @escaping @Sendable (String) -> Answer = FilesystemProbe.statistics(of:)
    ) {
        self.timeout = timeout
        self.question = question
    }

    /// The answer for one mount point, within about the timeout. Blocks the calling thread.
    func ask(_ mountPoint: String) -> Answer {
        let (thread, isStuck) = state.withLock { ($0.thread, $0.stuck.contains(mountPoint)) }
        guard !isStuck else { return .failed(Self.late) }
        let reply = Reply()
        thread.async { [self] in
            let answer = question(mountPoint)
            state.withLock { state in
                if reply.deliver(answer) { return }
                state.stuck.remove(mountPoint)
            }
        }
        let nanoseconds =
            Int(clamping: timeout.components.seconds * 1_000_000_000)
            + Int(timeout.components.attoseconds / 1_000_000_000)
        _ = reply.arrived.wait(timeout: .now() + .nanoseconds(nanoseconds))
        return state.withLock { state in
            if let answer = reply.take() { return answer }
            state.stuck.insert(mountPoint)
            state.thread = Self.makeThread()
            return .failed(Self.late)
        }
    }

    /// node_exporter's words for it.
    private static let late = "mountpoint timeout"

    private static func makeThread() -> DispatchQueue {
        DispatchQueue(label: "weir.agent.statvfs")
    }

    static func statistics(of mountPoint: String) -> Answer {
        var raw = statvfs()
        guard statvfs(mountPoint, &raw) == 0 else { return .failed(String(cString: strerror(errno))) }
        let blockBytes = Double(raw.f_frsize)
        return .usage(
            Usage(
                sizeBytes: Double(raw.f_blocks) * blockBytes, freeBytes: Double(raw.f_bfree) * blockBytes,
                availableBytes: Double(raw.f_bavail) * blockBytes, files: Double(raw.f_files),
                freeFiles: Double(raw.f_ffree)))
    }

    /// Where the thread leaves its answer, if the asker is still there. Guarded by the probe's lock but for the
    /// semaphore.
    private final class Reply: Sendable {
        private enum Progress {
            case waiting, answered(Answer), abandoned
        }

        let arrived = DispatchSemaphore(value: 0)
        private let progress = Mutex(Progress.waiting)

        /// False when nobody waits any more.
        func deliver(_ answer: Answer) -> Bool {
            let isAwaited = progress.withLock { progress in
                guard case .waiting = progress else { return false }
                progress = .answered(answer)
                return true
            }
            arrived.signal()
            return isAwaited
        }

        /// The answer, or nil and no interest in it any more.
        func take() -> Answer? {
            progress.withLock { progress in
                if case .answered(let answer) = progress { return answer }
                progress = .abandoned
                return nil
            }
        }
    }
}
