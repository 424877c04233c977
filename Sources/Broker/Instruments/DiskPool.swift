import Instruments
import NIOPosix

/// The threads that may wait for a disk, with a count of what waits for one of them. Any thread may submit.
struct DiskPool: Sendable {
    private let threads: NIOThreadPool
    private let waiting: Counter

    init(_ threads: NIOThreadPool, waiting: Counter) {
        self.threads = threads
        self.waiting = waiting
    }

    func submit(_ work: @escaping @Sendable (NIOThreadPool.WorkItemState) -> Void) {
        self.waiting.add(1)
        self.threads.submit { [waiting] state in
            waiting.add(-1)
            work(state)
        }
    }

    /// Waits until the work is done; throws if the pool has ended.
    func runIfActive<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await self.threads.runIfActive(work)
    }

    func shutdownGracefully() async throws {
        try await self.threads.shutdownGracefully()
    }
}
