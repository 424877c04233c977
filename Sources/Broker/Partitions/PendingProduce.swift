import KafkaProtocol
import NIOCore

/// A produce request that waits until all its batches are on the disk. Lives on its connection's event loop, where
/// the syncs of its partitions report to it.
final class PendingProduce: Sendable {
    private struct Progress {
        var missingSyncs = 0
        /// Set once all batches have been appended.
        var response: ProduceResponse?
        var exchange: Exchange<ProduceResponse>?
    }

    private let eventLoop: any EventLoop
    private let progress: NIOLoopBoundBox<Progress>

    /// Call on the event loop.
    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.progress = NIOLoopBoundBox(Progress(), eventLoop: eventLoop)
    }

    /// Whom a partition tells about the sync of this batch. It does so in a later turn of the event loop.
    func callback(topic: Int, partition: Int) -> SyncWait {
        SyncWait(eventLoop: self.eventLoop) { code in
            if code != .none {
                self.progress.value.response?.responses[topic].partitionResponses[partition].fail(code)
            }
            self.progress.value.missingSyncs -= 1
            self.answerIfComplete()
        }
    }

    func expectSync() {
        self.progress.value.missingSyncs += 1
    }

    func begin(_ response: ProduceResponse, _ exchange: Exchange<ProduceResponse>) {
        self.progress.value.response = response
        self.progress.value.exchange = exchange
        self.answerIfComplete()
    }

    private func answerIfComplete() {
        guard self.progress.value.missingSyncs == 0, let response = self.progress.value.response else { return }
        self.progress.value.exchange?.reply(response)
        self.progress.value.exchange = nil
    }
}

extension ProduceResponse.PartitionProduceResponse {
    fileprivate mutating func fail(_ code: ErrorCode) {
        self.errorCode = code
        self.baseOffset = -1
        self.logStartOffset = -1
    }
}
