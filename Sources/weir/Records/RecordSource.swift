import KafkaClient
import KafkaProtocol
import RecordBatch
import Synchronization

/// Where `weir consume` reads: given partitions, or as a member of a group. For the one task of a ``RecordPrinter``.
final class RecordSource: RebalanceListener {
    /// How to begin, and whether to end.
    enum Reading: Sendable {
        /// These partitions from these offsets.
        case partitions([TopicPartition: Offset], FetchConfiguration)
        /// As a member of a group: where it has committed, else at this place.
        case group(GroupConsumerConfiguration, start: OffsetPlace)

        var isolation: IsolationLevel {
            switch self {
            case .partitions(_, let fetching): fetching.isolation
            case .group(let configuration, _): configuration.fetching.isolation
            }
        }
    }

    private struct State {
        /// With `--exit`: the partitions that are still being read, and where each ends.
        var ends: [TopicPartition: Offset]
        /// Written out and not committed yet.
        var uncommitted: [TopicPartition: Offset] = [:]
        var consumer: GroupConsumer?
    }

    private let cluster: Cluster
    private let reading: Reading
    private let exits: Bool
    private let state: Mutex<State>
    private let ended: AsyncStream<Void>
    private let endedContinuation: AsyncStream<Void>.Continuation

    /// - Parameter exits: end where the partitions end now, or, in a group, when they are assigned.
    init(cluster: Cluster, reading: Reading, exits: Bool) async throws {
        self.cluster = cluster
        self.reading = reading
        self.exits = exits
        (ended, endedContinuation) = AsyncStream.makeStream(of: Void.self)
        var ends: [TopicPartition: Offset] = [:]
        if exits, case .partitions(let starts, let fetching) = reading {
            let found = try await Admin(cluster: cluster).endOffsets(
                starts.keys.sorted(), isolation: fetching.isolation)
            ends = found.filter { partition, end in starts[partition].map { $0 < end } ?? false }
            if ends.isEmpty { endedContinuation.finish() }
        }
        self.state = Mutex(State(ends: ends))
    }

    /// Returns at the end; without `--exit` only when cancelled.
    func waitForEnd() async throws {
        for await _ in ended {}
        try Task.checkCancellation()
    }

    /// Calls `body` with each batch and the offset it is to end at, if any; `body` returns where it got to and whether
    /// that was enough.
    func forEachBatch(
        _ body: (ConsumedBatch, _ end: Offset?) async throws -> (next: Offset, isEnough: Bool)
    ) async throws {
        switch reading {
        case .partitions(let starts, let fetching):
            let consumer = PartitionConsumer(cluster: cluster, starts: starts, configuration: fetching)
            defer { consumer.close() }
            for try await batch in consumer {
                if try await body(batch, end(of: batch)).isEnough || isOver(after: batch) { return }
            }
        case .group(let configuration, _):
            let consumer = try GroupConsumer(cluster: cluster, configuration: configuration, listener: self)
            state.withLock { $0.consumer = consumer }
            do {
                for try await batch in consumer {
                    let (next, isEnough) = try await body(batch, end(of: batch))
                    state.withLock { $0.uncommitted[batch.topicPartition] = next }
                    try await commit(with: consumer)
                    if isEnough || isOver(after: batch) { break }
                }
            } catch {
                await close(consumer)
                throw error
            }
            await close(consumer)
        }
    }

    private func close(_ consumer: GroupConsumer) async {
        await consumer.close()
        state.withLock { $0.consumer = nil }
    }

    private func end(of batch: ConsumedBatch) -> Offset? {
        guard exits else { return nil }
        // A partition that has ended already is not printed further.
        return state.withLock { $0.ends[batch.topicPartition] } ?? Offset(0)
    }

    private func isOver(after batch: ConsumedBatch) -> Bool {
        guard exits else { return false }
        return state.withLock { state in
            if let end = state.ends[batch.topicPartition], batch.nextOffset >= end {
                state.ends[batch.topicPartition] = nil
            }
            return state.ends.isEmpty
        }
    }

    /// What cannot be committed now is committed later, or printed again by whoever gets the partition.
    private func commit(with consumer: GroupConsumer) async throws {
        let offsets = state.withLock { $0.uncommitted }
        do {
            try await consumer.commit(offsets)
        } catch is KafkaClientError {
            return
        }
        state.withLock { state in
            for (partition, offset) in offsets where state.uncommitted[partition] == offset {
                state.uncommitted[partition] = nil
            }
        }
    }

    func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        guard case .group(let configuration, let start) = reading else { return [:] }
        let admin = Admin(cluster: cluster)
        var starts: [TopicPartition: Offset] = [:]
        if !partitions.isEmpty {
            let committed = try await admin.committedOffsets(
                group: configuration.group, of: partitions, requireStable: reading.isolation == .readCommitted)
            starts = try await start.offsets(in: partitions.filter { committed[$0] == nil }, admin)
            starts.merge(committed) { $1 }
        }
        guard exits else { return starts }
        let ends = try await admin.endOffsets(partitions, isolation: reading.isolation)
        let isOver = state.withLock { state in
            for (partition, end) in ends where starts[partition].map({ $0 < end }) ?? false {
                state.ends[partition] = end
            }
            return state.ends.isEmpty
        }
        if isOver {
            // A cooperative group may give in a later rebalance what others still have to give up.
            if partitions.isEmpty, configuration.assignors.allSatisfy(\.isCooperative) {
                endUnlessAssigned(within: configuration.sessionTimeout)
            } else {
                endedContinuation.finish()
            }
        }
        return starts
    }

    private func endUnlessAssigned(within patience: Duration) {
        Task {
            try? await Task.sleep(for: patience)
            if state.withLock({ $0.ends.isEmpty }) { endedContinuation.finish() }
        }
    }

    func revoked(_ partitions: [TopicPartition]) async {
        if let consumer = state.withLock({ $0.consumer }) { try? await commit(with: consumer) }
        forget(partitions)
    }

    func lost(_ partitions: [TopicPartition]) async { forget(partitions) }

    private func forget(_ partitions: [TopicPartition]) {
        state.withLock { state in
            for partition in partitions {
                state.uncommitted[partition] = nil
                state.ends[partition] = nil
            }
        }
    }
}
