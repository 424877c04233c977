import KafkaProtocol
import RecordBatch
import Synchronization

extension GroupMember {
    /// Commits, waiting out an outage and, as long as the partitions stay this member's, a rebalance.
    func commit(_ offsets: [TopicPartition: Offset]) async throws {
        let patience = closing.isDone ? Self.closingPatience : cluster.configuration.requestTimeout
        let deadline = ContinuousClock.now + patience
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            guard let membership else { throw KafkaClientError.notAMember(group: configuration.group) }
            do {
                try await requests.commit(
                    offsets, memberID: membership.memberID, generation: membership.generation,
                    timeout: deadline - .now)
                return
            } catch let error as KafkaClientError where error.isRetriable || isPassing(error, membership, offsets) {
                // Closing may have begun meanwhile; it has no time for an outage.
                if .now >= deadline || closing.isDone { throw error }
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    /// With cooperative assignors a rebalance takes only some partitions away. While it goes on, and until the new
    /// generation is known here, the coordinator refuses commits of the others too.
    private func isPassing(
        _ error: KafkaClientError, _ membership: Membership, _ offsets: [TopicPartition: Offset]
    ) -> Bool {
        guard configuration.isCooperative else { return false }
        let (isHeld, isMoving) = state.withLock { state in
            let held = Set(state.held ?? [])
            // The group has moved on and this member with it: it is joining, or has joined meanwhile.
            let isMoving = state.end == nil || state.membership?.generation != membership.generation
            return (offsets.keys.allSatisfy(held.contains), isMoving)
        }
        switch error.code {
        case .rebalanceInProgress: return isHeld
        case .illegalGeneration: return isHeld && isMoving
        default: return false
        }
    }
}
