import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Joining the group, and, for the member that leads it, sharing out.
extension GroupMember {
    /// Joins, however long it takes.
    func join() async throws -> Membership {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            do {
                return try await joinOnce()
            } catch let error as KafkaClientError {
                switch error.code {
                case .unknownMemberID:
                    forgetMember()
                    try await loseEverything()
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
        let selection = state.withLock { $0.selection }
        let topics = try await topics(of: selection)
        let wanted = Set(topics)
        let unwanted = assignment.filter { !wanted.contains($0.topic) }
        if !unwanted.isEmpty { try await giveUp(unwanted) }
        let (memberID, subscription) = state.withLock { state in
            (
                state.memberID,
                Subscription(topics: topics, owned: state.held ?? [], generation: state.heldGeneration)
            )
        }
        let joined = try await requests.join(
            memberID: memberID, subscription: subscription, configuration: configuration)
        state.withLock { $0.memberID = joined.memberID }
        let isLeader = joined.leader == joined.memberID
        var assignments: Assignments = [:]
        var counts: [TopicName: Int]
        if isLeader {
            (assignments, counts) = try await divide(joined)
        } else {
            counts = try await partitions(of: wanted).mapValues(\.count)
        }
        return Membership(
            memberID: joined.memberID, generation: joined.generationID,
            partitions: try await requests.sync(joined, assignments: assignments), selection: selection,
            topics: topics, isLeader: isLeader, partitionCounts: counts)
    }

    /// The leader's task: who reads what.
    private func divide(_ joined: JoinGroupResponse) async throws -> (Assignments, [TopicName: Int]) {
        guard let assignor = configuration.assignors.first(where: { $0.name == joined.protocolName }) else {
            throw KafkaClientError.refused(
                .inconsistentGroupProtocol, subject: "joining group \(configuration.group)",
                message: "the coordinator chose the assignor \(joined.protocolName ?? "none")")
        }
        let members = joined.members.map(ConsumerProtocol.member)
        let topics = members.reduce(into: Set<TopicName>()) { $0.formUnion($1.topics) }
        cluster.invalidateMetadata(of: topics)
        let partitions = try await partitions(of: topics)
        return (assignor.assign(members, partitions), partitions.mapValues(\.count))
    }

    /// The partitions of each topic; none for one that does not exist.
    private func partitions(of topics: Set<TopicName>) async throws -> [TopicName: [PartitionIndex]] {
        let metadata = try await cluster.metadata(of: topics)
        return topics.reduce(into: [:]) { partitions, topic in
            partitions[topic] = metadata.topics[topic]?.partitions.map(\.index) ?? []
        }
    }

    /// The topics to ask for: named ones whether they exist or not, as their owner may create them any time.
    func topics(of selection: TopicSelection) async throws -> [TopicName] {
        guard selection.hasPattern else { return selection.selected(from: []) }
        return selection.selected(from: try await cluster.refreshMetadata().topics.values)
    }
}
