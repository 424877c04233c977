import KafkaProtocol
import NIOCore
import Synchronization

/// A long poll: a fetch that waits until there are enough bytes or its time is up.
///
/// Lives on the event loop of its connection; partitions keep it and call `dataArrived()` from any thread.
final class FetchWait: Sendable {
    private let plan: FetchPlan
    private let exchange: Exchange<FetchResponse>
    /// Set while a look at the partitions is on its way, so that a busy partition costs one hop per look.
    private let isLookScheduled = Atomic<Bool>(false)
    private let progress: NIOLoopBoundBox<Progress>

    private struct Progress {
        var isAnswered = false
        var timeout: Scheduled<Void>?
    }

    /// Call on the event loop of the exchange.
    init(plan: FetchPlan, exchange: Exchange<FetchResponse>) {
        self.plan = plan
        self.exchange = exchange
        self.progress = NIOLoopBoundBox(Progress(), eventLoop: exchange.context.eventLoop)
    }

    /// Answers at once if there are enough bytes by now, else when they come or after `patience`.
    func begin(patience: TimeAmount) {
        self.progress.value.timeout = self.exchange.context.eventLoop.scheduleTask(in: patience) {
            self.look(isLastLook: true)
        }
        self.look(isLastLook: false)
    }

    /// More may be readable in one of the partitions; it has forgotten this wait.
    func dataArrived() {
        guard !self.isLookScheduled.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.exchange.context.eventLoop.execute {
            self.isLookScheduled.store(false, ordering: .releasing)
            self.look(isLastLook: false)
        }
    }

    private func look(isLastLook: Bool) {
        guard !self.progress.value.isAnswered else { return }
        self.plan.forget(self)
        let isLastLook = isLastLook || self.exchange.context.node.isStopping
        let findings = self.plan.evaluate(registering: isLastLook ? nil : self)
        guard isLastLook || self.plan.isEnough(findings) else { return }
        guard FetchHandler.answer(self.plan, findings, self.exchange, mayWait: !isLastLook) else { return }
        self.progress.value.isAnswered = true
        self.progress.value.timeout?.cancel()
        self.progress.value.timeout = nil
        if !isLastLook { self.plan.forget(self) }
    }
}
