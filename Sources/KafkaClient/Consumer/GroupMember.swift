import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Takes part in a group: joins, reads what it is given, gives it up and joins again, until it is closed.
///
/// `run()` is one task, owned by ``GroupConsumer``; everything else that it starts is a child of it. Reading goes on
/// beside all this in the ``Fetcher``, which is told what is read. Files: joining (`+Joining`), what comes and goes in a
/// rebalance (`+Assigning`), heartbeats and an eye on the topics (`+Watching`), commits (`+Committing`).
final class GroupMember: Sendable {
    struct State {
        /// Given by the coordinator; empty before the first join and after the member was thrown out.
        var memberID = ""
        /// The generation that stands; also while the group rebalances, if what the member has stays with it.
        var membership: Membership?
        /// Assigned and not given up; nil before the first assignment and after everything was given up.
        var held: [TopicPartition]?
        /// Of the assignment that `held` is of; -1 if it is none.
        var heldGeneration: Int32 = -1
        var assignmentNumber: UInt64 = 0
        var selection: TopicSelection
        /// Ends the generation that is being held.
        var end: OneShot<GenerationEnd>?
    }

    /// How long closing waits for a batch that is being worked on, and for the coordinator.
    static let closingPatience = Duration.milliseconds(800)

    let cluster: Cluster
    let configuration: GroupConsumerConfiguration
    let buffer: BatchBuffer
    let requests: GroupRequests
    let fetcher: Fetcher
    let logger: Logger
    let listener: any RebalanceListener
    let closing = OneShot<Void>()
    let state: Mutex<State>
    private let lane = ConnectionLane()

    init(cluster: Cluster, configuration: GroupConsumerConfiguration, listener: any RebalanceListener) {
        self.cluster = cluster
        self.configuration = configuration
        self.listener = listener
        self.logger = cluster.logger
        self.state = Mutex(State(selection: configuration.topics))
        let buffer = BatchBuffer(limit: configuration.fetching.prefetchBytes)
        let requests = GroupRequests(
            cluster: cluster, group: configuration.group, instanceID: configuration.instanceID, lane: lane)
        let requireStable = configuration.fetching.isolation == .readCommitted
        self.buffer = buffer
        self.requests = requests
        self.fetcher = Fetcher(
            cluster: cluster, configuration: configuration.fetching, reader: "group \(configuration.group)",
            buffer: buffer
        ) { partitions in try await requests.committedOffsets(of: partitions, requireStable: requireStable) }
    }

    var assignmentNumber: UInt64 { state.withLock { $0.assignmentNumber } }
    var assignment: [TopicPartition] { state.withLock { $0.held ?? [] } }
    var membership: Membership? { state.withLock { $0.membership } }

    var metadata: GroupMetadata {
        let membership = membership
        return GroupMetadata(
            group: configuration.group, generation: membership?.generation ?? -1,
            memberID: membership?.memberID ?? "", instanceID: configuration.instanceID)
    }

    /// Asks `run()` to end.
    func close() {
        closing.complete(.success(()))
    }

    /// Wants other topics from now on.
    func subscribe(to selection: TopicSelection) {
        let end = state.withLock { state in
            state.selection = selection
            return state.end
        }
        end?.complete(.success(.topicsChanged))
    }

    /// Takes part until closed or beyond help; then gives up what it holds and leaves the group.
    func run() async {
        var result: Result<Void, any Error> = .success(())
        var isLost = false
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.participate() }
                group.addTask { try await self.fetcher.run() }
                group.addTask { try await self.closing.value() }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            // The consumer was let go of.
        } catch {
            result = .failure(error)
            isLost = (error as? KafkaClientError)?.code == .fencedInstanceID
        }
        let held = assignment
        fetcher.revoke(held)
        try? await buffer.waitUntilIdle(Set(held), deadline: .now + Self.closingPatience)
        await tellOfEverything(isLost: isLost)
        await leave()
        cluster.close(lane)
        buffer.finish(result)
    }

    private func participate() async throws {
        while true {
            let membership = try await join()
            try await hold(membership)
        }
    }

    /// One generation: from the assignment until the group is joined again. Heartbeats go on all the while.
    private func hold(_ membership: Membership) async throws {
        let end = OneShot<GenerationEnd>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.sendHeartbeats(membership, end: end) }
            group.addTask { await self.watchTopics(membership, end: end) }
            let isOutdated = state.withLock { state in
                state.membership = membership
                state.assignmentNumber += 1
                state.end = end
                return state.selection != membership.selection
            }
            if isOutdated { end.complete(.success(.topicsChanged)) }
            let hasGivenUp = try await accept(membership)
            let reason = hasGivenUp && !end.isDone ? .partitionsGivenUp : try await end.value()
            logger.debug("group \(configuration.group): generation \(membership.generation) ends: \(reason)")
            if reason == .thrownOut {
                try await loseEverything()
            } else if !configuration.isCooperative {
                try await giveUpEverything()
            }
            state.withLock { $0.end = nil }
            group.cancelAll()
        }
    }

    private func leave() async {
        let memberID = state.withLock { state in
            state.membership = nil
            return state.memberID
        }
        guard !memberID.isEmpty, configuration.instanceID == nil || configuration.leavesWhenStatic else { return }
        do {
            let requests = requests
            // A task of its own, awaited: the consumer may have been let go of, and still wants to say goodbye.
            try await Task {
                let overdue = KafkaClientError.refused(.requestTimedOut, subject: "leaving", message: nil)
                try await withDeadline(Self.closingPatience, overdue: overdue) {
                    try await requests.leave(memberID: memberID, timeout: Self.closingPatience)
                }
            }.value
        } catch {
            logger.debug("group \(configuration.group): \(error); the session will time out")
        }
    }

    func forgetMember() {
        state.withLock { $0.memberID = "" }
    }
}
