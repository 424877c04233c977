import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// What comes and goes in a rebalance. Whatever goes is given up, and the listener told, before anything is taken on.
extension GroupMember {
    /// Takes over the assignment of a generation.
    ///
    /// - Returns: whether something was given up, so that the group has to rebalance once more for somebody to get it.
    func accept(_ membership: Membership) async throws -> Bool {
        let held = state.withLock { $0.held }
        let assigned = Set(membership.partitions)
        let going = (held ?? []).filter { !assigned.contains($0) }
        let kept = Set(held ?? [])
        let coming = membership.partitions.filter { !kept.contains($0) }
        if !going.isEmpty { try await giveUp(going) }
        let starts = try await listener.assigned(coming)
        state.withLock { state in
            state.held = membership.partitions
            state.heldGeneration = membership.generation
        }
        fetcher.assign(coming, starts: starts)
        if held == nil || !coming.isEmpty || !going.isEmpty {
            logger.info("group \(configuration.group): reading \(Self.text(membership.partitions))")
        }
        return !going.isEmpty
    }

    /// Reads these partitions no more, waits until what was handed out of them is dealt with, and tells the listener.
    func giveUp(_ partitions: [TopicPartition], areLost: Bool = false) async throws {
        fetcher.revoke(partitions)
        try await buffer.waitUntilIdle(Set(partitions), deadline: .now + configuration.rebalanceTimeout * 0.8)
        await tell(partitions, areLost: areLost)
        let gone = Set(partitions)
        state.withLock { state in state.held?.removeAll(where: gone.contains) }
    }

    /// As eager assignors want it before every rebalance.
    func giveUpEverything() async throws {
        guard let held = state.withLock({ $0.held }) else { return }
        try await giveUp(held)
        holdNothing()
    }

    /// The group has gone on without this member.
    func loseEverything() async throws {
        guard let held = state.withLock({ $0.held }) else { return }
        state.withLock { $0.membership = nil }
        try await giveUp(held, areLost: true)
        holdNothing()
    }

    /// At the end: the fetcher has stopped.
    func tellOfEverything(isLost: Bool) async {
        guard let held = state.withLock({ $0.held }) else { return }
        await tell(held, areLost: isLost)
        holdNothing()
    }

    private func holdNothing() {
        state.withLock { state in
            state.held = nil
            state.heldGeneration = -1
            state.membership = nil
        }
    }

    /// The listener is not disturbed by a cancellation: what it was given it must be able to put away.
    private func tell(_ partitions: [TopicPartition], areLost: Bool) async {
        let listener = listener
        await Task {
            if areLost { await listener.lost(partitions) } else { await listener.revoked(partitions) }
        }.value
    }

    private static func text(_ partitions: [TopicPartition]) -> String {
        let shown = partitions.prefix(8).map(\.description).joined(separator: ", ")
        return switch partitions.count {
        case 0: "nothing; other members have all partitions, or there are none"
        case ...8: shown
        default: "\(partitions.count) partitions: \(shown), …"
        }
    }
}
