public import KafkaProtocol
public import RecordBatch

/// A consumer group as a list shows it.
public struct GroupSummary: Hashable, Sendable {
    /// The group's id.
    public let group: String
    /// `consumer` for consumer groups; empty for one that only has offsets.
    public let protocolType: String
    /// `Stable`, `Empty`, `PreparingRebalance` …; nil if the broker is too old to tell (before Kafka 2.6).
    public let state: String?
}

/// A consumer group and its members.
public struct GroupDescription: Hashable, Sendable {
    /// The group's id.
    public let group: String
    /// `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance` or `Dead`. A group nobody has heard of is
    /// `Dead`.
    public let state: String
    /// `consumer` for consumer groups.
    public let protocolType: String
    /// The assignor's name.
    public let assignor: String
    /// In the coordinator's order.
    public let members: [GroupMemberDescription]
}

/// One member of a group.
public struct GroupMemberDescription: Hashable, Sendable {
    /// Given by the coordinator when it joined.
    public let memberID: String
    /// What it calls itself.
    public let clientID: String
    /// Its address as the coordinator sees it.
    public let host: String
    /// What it reads, sorted; empty during a rebalance, and for a member that is no consumer.
    public let partitions: [TopicPartition]
}

extension Admin {
    /// All groups of all brokers, sorted by id.
    public func listGroups() async throws -> [GroupSummary] {
        let metadata = try await retrying { try await cluster.refreshMetadata() }
        var groups: [String: GroupSummary] = [:]
        for broker in metadata.brokers.keys.sorted() {
            let answer = try await retrying {
                let answer = try await cluster.send(ListGroupsRequest(), to: .broker(broker))
                try refuse(answer.errorCode, "groups of broker \(broker)")
                return answer
            }
            for entry in answer.groups {
                groups[entry.groupID] = GroupSummary(
                    group: entry.groupID, protocolType: entry.protocolType,
                    state: entry.groupState.isEmpty ? nil : entry.groupState)
            }
        }
        return groups.values.sorted { $0.group < $1.group }
    }

    /// These groups, in the same order. A group that does not exist is described as `Dead`, without members.
    public func describeGroups(_ groups: [String]) async throws -> [GroupDescription] {
        var descriptions: [GroupDescription] = []
        for group in groups {
            descriptions.append(try await describeGroup(group))
        }
        return descriptions
    }

    /// The offsets a group has committed: in these partitions, or, with nil, in all that it has any for. Partitions
    /// without one are missing.
    ///
    /// - Parameter requireStable: wait while a transaction is about to change them.
    public func committedOffsets(
        group: String, of partitions: [TopicPartition]? = nil, requireStable: Bool = false
    ) async throws -> [TopicPartition: Offset] {
        let requests = GroupRequests(cluster: cluster, group: group, lane: .shared)
        return try await retrying {
            try await requests.committedOffsets(of: partitions, requireStable: requireStable)
        }
    }

    private func describeGroup(_ group: String) async throws -> GroupDescription {
        let requests = GroupRequests(cluster: cluster, group: group, lane: .shared)
        return try await retrying {
            let answer = try await cluster.send(
                DescribeGroupsRequest(groups: [group]), to: .coordinator(group: group))
            guard let entry = answer.groups.first else {
                throw KafkaClientError.refused(.groupIDNotFound, subject: "group \(group)", message: nil)
            }
            try requests.check(entry.errorCode, "group \(group)")
            return GroupDescription(
                group: group, state: entry.groupState, protocolType: entry.protocolType, assignor: entry.protocolData,
                members: entry.members.map { member in
                    GroupMemberDescription(
                        memberID: member.memberID, clientID: member.clientID, host: member.clientHost,
                        partitions: (try? ConsumerProtocol.partitions(in: member.memberAssignment)) ?? [])
                })
        }
    }

    private func refuse(_ code: ErrorCode, _ subject: String) throws(KafkaClientError) {
        if code != .none { throw .refused(code, subject: subject, message: nil) }
    }
}
