public import KafkaProtocol
public import RecordBatch

extension Admin {
    /// Sets the offsets from which a group goes on. The group must have no members: theirs would overwrite these.
    ///
    /// - Throws: `KafkaClientError.refused`, with `unknownMemberID` while there are members.
    public func commitOffsets(_ offsets: [TopicPartition: Offset], group: String) async throws {
        let requests = GroupRequests(cluster: cluster, group: group, lane: .shared)
        try await retrying {
            try await requests.commit(
                offsets, memberID: "", generation: -1, timeout: cluster.configuration.requestTimeout)
        }
    }

    /// Deletes groups and their offsets; returns an entry for each that could not be deleted. Needs Kafka 1.1.
    public func deleteGroups(_ groups: [String]) async throws -> [String: KafkaClientError] {
        var failures: [String: KafkaClientError] = [:]
        for group in groups {
            do {
                try await deleteGroup(group)
            } catch let error as KafkaClientError where error.code != nil {
                failures[group] = error
            }
        }
        return failures
    }

    private func deleteGroup(_ group: String) async throws {
        let requests = GroupRequests(cluster: cluster, group: group, lane: .shared)
        try await retrying {
            let answer = try await cluster.send(
                DeleteGroupsRequest(groupsNames: [group]), to: .coordinator(group: group))
            for result in answer.results { try requests.check(result.errorCode, "deleting group \(group)") }
        }
    }
}
