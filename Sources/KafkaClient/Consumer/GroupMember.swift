import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Takes part in a group: joins, reads what it is given, gives it up and joins again, until it is closed.
///
/// `run()` is one task, owned by ``GroupConsumer``; everything else that it starts is a child of it.
final class GroupMember: Sendable {
    private struct State {
        /// Given by the coordinator; empty before the first join and after the member was thrown out.
        var memberID = ""
        var membership: Membership?
        /// Between `assigned` and `revoked`.
        var held: [TopicPartition]?
        var assignmentNumber: UInt64 = 0
    }

    /// How long closing waits for a batch that is being worked on, and for the coordinator.
    private static let closingPatience = Duration.milliseconds(800)

    let cluster: Cluster
    let configuration: GroupConsumerConfiguration
    let buffer: BatchBuffer
    let requests: GroupRequests
    let logger: Logger
    private let listener: any RebalanceListener
    private let lane = ConnectionLane()
    private let closing = OneShot<Void>()
    private let state = Mutex(State())

    init(cluster: Cluster, configuration: GroupConsumerConfiguration, listener: any RebalanceListener) {
        self.cluster = cluster
        self.configuration = configuration
        self.listener = listener
        self.buffer = BatchBuffer(limit: configuration.prefetchBytes)
        self.requests = GroupRequests(cluster: cluster, group: configuration.group, lane: lane)
        self.logger = cluster.logger
    }

    var assignmentNumber: UInt64 { state.withLock { $0.assignmentNumber } }
    var assignment: [TopicPartition] { state.withLock { $0.held ?? [] } }
    var membership: Membership? { state.withLock { $0.membership } }

    /// Asks `run()` to end.
    func close() {
        closing.complete(.success(()))
    }

    func commit(_ offsets: [TopicPartition: Offset]) async throws {
        guard let membership else { throw KafkaClientError.notAMember(group: configuration.group) }
        let patience = closing.isDone ? Self.closingPatience : cluster.configuration.requestTimeout
        let deadline = ContinuousClock.now + patience
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            do {
                try await requests.commit(
                    offsets, memberID: membership.memberID, generation: membership.generation,
                    timeout: deadline - .now)
                return
            } catch let error as KafkaClientError where error.isRetriable {
                // Closing may have begun meanwhile; it has no time for an outage.
                if .now >= deadline || closing.isDone { throw error }
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    /// Takes part until closed or beyond help; then gives up what it holds and leaves the group.
    func run() async {
        var result: Result<Void, any Error> = .success(())
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.participate() }
                group.addTask { try await self.closing.value() }
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            // The consumer was let go of.
        } catch {
            result = .failure(error)
        }
        buffer.begin(assignmentNumber: .max)
        try? await buffer.waitUntilIdle(deadline: .now + Self.closingPatience)
        await giveUp()
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

    /// One generation, from the assignment to giving it up. Heartbeats go on all the while.
    private func hold(_ membership: Membership) async throws {
        let end = OneShot<GenerationEnd>()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await self.sendHeartbeats(membership, end: end) }
            group.addTask { await self.watchTopics(membership, end: end) }
            let number = state.withLock { state in
                state.membership = membership
                state.assignmentNumber += 1
                return state.assignmentNumber
            }
            buffer.begin(assignmentNumber: number)
            let starts = try await listener.assigned(membership.partitions)
            state.withLock { $0.held = membership.partitions }
            logger.info("group \(configuration.group): reading \(Self.text(membership.partitions))")
            let reason = try await read(membership, number: number, starts: starts, end: end)
            logger.debug("group \(configuration.group): generation \(membership.generation) ends: \(reason)")
            buffer.begin(assignmentNumber: .max)
            try await buffer.waitUntilIdle(deadline: .now + configuration.rebalanceTimeout * 0.8)
            await giveUp()
            group.cancelAll()
        }
        state.withLock { $0.membership = nil }
    }

    /// Fetches into the buffer until the generation ends.
    private func read(
        _ membership: Membership, number: UInt64, starts: [TopicPartition: Offset], end: OneShot<GenerationEnd>
    ) async throws -> GenerationEnd {
        // Its own lane each time, so that the first fetch does not queue behind the last one of before.
        let fetcher = Fetcher(
            cluster: cluster, configuration: configuration, requests: requests, buffer: buffer,
            partitions: membership.partitions, starts: starts, assignmentNumber: number)
        defer { cluster.close(fetcher.lane) }
        return try await withThrowingTaskGroup(of: GenerationEnd?.self) { group in
            group.addTask {
                try await fetcher.run()
                return nil
            }
            group.addTask { try await end.value() }
            defer { group.cancelAll() }
            while let reason = try await group.next() {
                if let reason { return reason }
            }
            return .rebalance
        }
    }

    /// Tells the listener, who is not disturbed by a cancellation: what it was given it must be able to put away.
    private func giveUp() async {
        guard let held = state.withLock({ $0.held }) else { return }
        let listener = listener
        await Task { await listener.revoked(held) }.value
        state.withLock { $0.held = nil }
    }

    private func leave() async {
        let memberID = state.withLock { state in
            state.membership = nil
            return state.memberID
        }
        guard !memberID.isEmpty else { return }
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

    // MARK: Joining

    /// Joins, however long it takes.
    private func join() async throws -> Membership {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            do {
                return try await joinOnce()
            } catch let error as KafkaClientError {
                switch error.code {
                case .unknownMemberID:
                    forgetMember()
                case .illegalGeneration, .rebalanceInProgress:
                    break
                default:
                    guard error.mayPass else { throw error }
                }
                logger.debug("group \(configuration.group): \(error)")
            }
            try await Task.sleep(for: backoff.next())
        }
    }

    private func joinOnce() async throws -> Membership {
        let topics = try await selectedTopics()
        let memberID = state.withLock { $0.memberID }
        let joined = try await requests.join(memberID: memberID, topics: topics, configuration: configuration)
        state.withLock { $0.memberID = joined.memberID }
        var assignments: Assignments = [:]
        var dividedCounts: [TopicName: Int]?
        if joined.leader == joined.memberID {
            (assignments, dividedCounts) = try await divide(joined)
        }
        return Membership(
            memberID: joined.memberID, generation: joined.generationID,
            partitions: try await requests.sync(joined, assignments: assignments), topics: topics,
            dividedCounts: dividedCounts)
    }

    /// The leader's task: who reads what.
    private func divide(_ joined: JoinGroupResponse) async throws -> (Assignments, [TopicName: Int]) {
        guard let assignor = configuration.assignors.first(where: { $0.name == joined.protocolName }) else {
            throw KafkaClientError.refused(
                .inconsistentGroupProtocol, subject: "joining group \(configuration.group)",
                message: "the coordinator chose the assignor \(joined.protocolName ?? "none")")
        }
        let members = joined.members.map {
            AssignableMember(id: $0.memberID, topics: ConsumerProtocol.topics(in: $0.metadata))
        }
        let topics = members.reduce(into: Set<TopicName>()) { $0.formUnion($1.topics) }
        cluster.invalidateMetadata(of: topics)
        let metadata = try await cluster.metadata(of: topics)
        var partitions: [TopicName: [PartitionIndex]] = [:]
        for topic in topics { partitions[topic] = metadata.topics[topic]?.partitions.map(\.index) ?? [] }
        return (assignor.assign(members, partitions), partitions.mapValues(\.count))
    }

    /// The topics to ask for: named ones whether they exist or not, as their owner may create them any time.
    func selectedTopics() async throws -> [TopicName] {
        guard case .pattern = configuration.topics else { return configuration.topics.selected(from: []) }
        return configuration.topics.selected(from: try await cluster.refreshMetadata().topics.values)
    }

    func forgetMember() {
        state.withLock { $0.memberID = "" }
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
