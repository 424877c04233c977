import KafkaProtocol
import NIOCore
import RecordBatch

/// The requests of one member to its group's coordinator; each one attempt.
///
/// Joining may take as long as a rebalance, so it and what must not wait for anything else go over lanes of their
/// own. A value; any thread.
///
/// Versions: ones that have all that is used here, and that librdkafka uses too, since its mock cluster, against
/// which this client is checked, misreads later ones.
struct GroupRequests: Sendable {
    private static let joinVersion: Int16 = 5
    private static let syncVersion: Int16 = 3
    private static let heartbeatVersion: Int16 = 3
    private static let leaveVersion: Int16 = 2
    private static let staticLeaveVersion: Int16 = 3

    let cluster: Cluster
    let group: String
    /// A static member's id; a broker older than Kafka 2.3 is not told it, and makes the member a dynamic one.
    var instanceID: String?
    let lane: ConnectionLane

    /// Joins the group. A coordinator that wants the member to come back with an id (KIP-394) gets its way.
    ///
    /// - Parameter subscription: what the member wants and has.
    func join(
        memberID: String, subscription: Subscription, configuration: GroupConsumerConfiguration
    ) async throws -> JoinGroupResponse {
        var request = JoinGroupRequest()
        request.groupID = group
        request.sessionTimeoutMs = configuration.sessionTimeout.wholeMilliseconds
        request.rebalanceTimeoutMs = configuration.rebalanceTimeout.wholeMilliseconds
        request.memberID = memberID
        request.protocolType = ConsumerProtocol.type
        request.protocols = try configuration.assignors.map {
            JoinGroupRequest.JoinGroupRequestProtocol(
                name: $0.name, metadata: try ConsumerProtocol.bytes(of: subscription, for: $0))
        }
        let patience = configuration.rebalanceTimeout + cluster.configuration.requestTimeout
        var answer = try await join(request, timeout: patience)
        if answer.errorCode == .memberIDRequired, memberID.isEmpty {
            request.memberID = answer.memberID
            answer = try await join(request, timeout: patience)
        }
        try check(answer.errorCode, "joining group \(group)")
        return answer
    }

    private func join(_ request: JoinGroupRequest, timeout: Duration) async throws -> JoinGroupResponse {
        try await cluster.send(
            to: .coordinator(group: group), lane: lane, maximumVersion: Self.joinVersion, timeout: timeout
        ) { version in
            var request = request
            if version >= 5 { request.groupInstanceID = instanceID }
            return request
        }
    }

    /// Tells the assignments (the leader) or nothing (the others); returns the member's own partitions.
    func sync(_ joined: JoinGroupResponse, assignments: Assignments) async throws -> [TopicPartition] {
        var request = SyncGroupRequest()
        request.groupID = group
        request.generationID = joined.generationID
        request.memberID = joined.memberID
        request.assignments = try assignments.map { member, partitions in
            SyncGroupRequest.SyncGroupRequestAssignment(
                memberID: member, assignment: try ConsumerProtocol.assignmentBytes(partitions))
        }
        let syncing = request
        let answer: SyncGroupResponse = try await cluster.send(
            to: .coordinator(group: group), lane: lane, maximumVersion: Self.syncVersion
        ) { version in
            var request = syncing
            if version >= 3 { request.groupInstanceID = instanceID }
            return request
        }
        try check(answer.errorCode, "joining group \(group)")
        do {
            return try ConsumerProtocol.partitions(in: answer.assignment)
        } catch {
            throw KafkaClientError.refused(
                .inconsistentGroupProtocol, subject: "joining group \(group)",
                message: "the assignment cannot be read: \(error)")
        }
    }

    func heartbeat(memberID: String, generation: Int32) async throws {
        let answer: HeartbeatResponse = try await cluster.send(
            to: .coordinator(group: group), lane: lane, maximumVersion: Self.heartbeatVersion
        ) { version in
            HeartbeatRequest(
                groupID: group, generationID: generation, memberID: memberID,
                groupInstanceID: version >= 3 ? instanceID : nil)
        }
        try check(answer.errorCode, "heartbeat to group \(group)")
    }

    /// On the shared lane: a join may be under way on the other.
    func leave(memberID: String, timeout: Duration) async throws {
        let answer: LeaveGroupResponse = try await cluster.send(
            to: .coordinator(group: group),
            maximumVersion: instanceID == nil ? Self.leaveVersion : Self.staticLeaveVersion, timeout: timeout
        ) { version in
            guard version >= 3 else { return LeaveGroupRequest(groupID: group, memberID: memberID) }
            let member = LeaveGroupRequest.MemberIdentity(memberID: memberID, groupInstanceID: instanceID)
            return LeaveGroupRequest(groupID: group, members: [member])
        }
        try check(answer.errorCode, "leaving group \(group)")
        for member in answer.members { try check(member.errorCode, "leaving group \(group)") }
    }

    func commit(
        _ offsets: [TopicPartition: Offset], memberID: String, generation: Int32, timeout: Duration
    ) async throws {
        var request = OffsetCommitRequest()
        request.groupID = group
        request.generationIdOrMemberEpoch = generation
        request.memberID = memberID
        request.topics = Dictionary(grouping: offsets, by: \.key.topic).map { topic, offsets in
            OffsetCommitRequest.OffsetCommitRequestTopic(
                name: topic.rawValue,
                partitions: offsets.map { partition, offset in
                    OffsetCommitRequest.OffsetCommitRequestPartition(
                        partitionIndex: partition.partition.rawValue, committedOffset: offset.rawValue)
                })
        }
        let committing = request
        let overdue = KafkaClientError.refused(.requestTimedOut, subject: "commit of group \(group)", message: nil)
        let answer: OffsetCommitResponse = try await withDeadline(timeout, overdue: overdue) { [self] in
            try await cluster.send(to: .coordinator(group: group)) { version in
                var request = committing
                if version >= 7 { request.groupInstanceID = instanceID }
                return request
            }
        }
        for topic in answer.topics {
            for partition in topic.partitions {
                try check(
                    partition.errorCode, "commit of \(topic.name)-\(partition.partitionIndex) by group \(group)")
            }
        }
    }

    /// The group's committed offsets: of these partitions, or of all it has any for. Those without one are missing.
    ///
    /// - Parameter requireStable: be refused (UNSTABLE_OFFSET_COMMIT, which passes) while a transaction is about to
    ///   change them, where the broker can tell (Kafka 2.5).
    func committedOffsets(
        of partitions: [TopicPartition]?, requireStable: Bool = false
    ) async throws -> [TopicPartition: Offset] {
        var request = OffsetFetchRequest()
        request.groupID = group
        request.topics = partitions.map { partitions in
            Dictionary(grouping: partitions, by: \.topic).map { topic, partitions in
                OffsetFetchRequest.OffsetFetchRequestTopic(
                    name: topic.rawValue, partitionIndexes: partitions.map(\.partition.rawValue))
            }
        }
        let asking = request
        // Version 8 asks for several groups in another form.
        let answer: OffsetFetchResponse = try await cluster.send(
            to: .coordinator(group: group), maximumVersion: 7
        ) { version in
            var request = asking
            request.requireStable = requireStable && version >= 7
            return request
        }
        try check(answer.errorCode, "offsets of group \(group)")
        var offsets: [TopicPartition: Offset] = [:]
        for topic in answer.topics {
            guard let name = try? TopicName(topic.name) else { continue }
            for partition in topic.partitions {
                try check(partition.errorCode, "offset of \(name)-\(partition.partitionIndex) in group \(group)")
                guard partition.committedOffset >= 0 else { continue }
                let key = TopicPartition(topic: name, partition: PartitionIndex(partition.partitionIndex))
                offsets[key] = Offset(partition.committedOffset)
            }
        }
        return offsets
    }

    /// Throws unless the code is none. Forgets a coordinator that says it is none.
    func check(_ code: ErrorCode, _ subject: @autoclosure () -> String) throws(KafkaClientError) {
        guard code != .none else { return }
        if code == .notCoordinator || code == .coordinatorNotAvailable { cluster.invalidateCoordinator(of: group) }
        throw .refused(code, subject: subject(), message: nil)
    }
}
