internal import Dispatch
internal import Glibc
internal import Synchronization

/// A thread that lives as long as this object, and runs what it is handed, one thing after the other.
///
/// For starting processes that the kernel is to end with this one: `PR_SET_PDEATHSIG` fires when the *thread* that started a
/// process ends, and those of a pool end when there is little to do.
final class SpawningThread: Sendable {
    /// Shared by the object and its thread.
    private final class Jobs: Sendable {
        private let waiting = Mutex<[@Sendable () -> Void]>([])
        private let arrived = DispatchSemaphore(value: 0)

        func append(_ job: @escaping @Sendable () -> Void) {
            waiting.withLock { $0.append(job) }
            arrived.signal()
        }

        /// One signal more than there are jobs.
        func end() { arrived.signal() }

        /// Runs jobs as they come, until there is a signal without one.
        func run() {
            while true {
                arrived.wait()
                guard let job = waiting.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
                job()
            }
        }
    }

    private let jobs = Jobs()

    /// - Throws: ``ProcessError`` if the system has no thread left.
    init() throws(ProcessError) {
        var thread = pthread_t()
        let argument = Unmanaged.passRetained(jobs)
        let code = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Jobs>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, argument.toOpaque())
        guard code == 0 else {
            argument.release()
            throw ProcessError.system("pthread_create", code)
        }
        pthread_detach(thread)
    }

    deinit { jobs.end() }

    /// Runs `work` on the thread and waits for it: for calls that take a millisecond.
    func run<Outcome: Sendable>(_ work: @escaping @Sendable () -> Outcome) -> Outcome {
        let made = Made<Outcome>()
        jobs.append { made.set(work()) }
        return made.wait()
    }

    /// What a job comes to.
    private final class Made<Outcome: Sendable>: Sendable {
        private let outcome = Mutex<Outcome?>(nil)
        private let isThere = DispatchSemaphore(value: 0)

        func set(_ outcome: Outcome) {
            self.outcome.withLock { $0 = outcome }
            isThere.signal()
        }

        func wait() -> Outcome {
            isThere.wait()
            guard let outcome = outcome.withLock({ $0 }) else { preconditionFailure("it is signalled once it is set") }
            return outcome
        }
    }
}
