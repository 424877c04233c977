import KafkaProtocol

// OffsetFetch (9): how far groups have come.
//
// - Offset -1 for a partition without a commit. Topics null (version 2) means all that the group has committed.
// - Version 8 asks for several groups. With `requireStable` (version 7) a partition for which an open transaction commits
//   something is answered UNSTABLE_OFFSET_COMMIT, so that a consumer does not begin before what may be committed (KIP-447).
enum OffsetFetchHandler: RequestHandler {
    /// What a group has committed, and what a client may not have yet.
    private struct Offsets {
        var committed: [PartitionName: CommittedOffset] = [:]
        var unstable: Set<PartitionName> = []
    }

    static func handle(_ request: OffsetFetchRequest, _ exchange: Exchange<OffsetFetchResponse>) {
        let groups = exchange.context.node.groups
        if exchange.context.apiVersion >= 8 {
            self.collect(request.groups[...], [:], groups, requireStable: request.requireStable) { found in
                exchange.reply(
                    OffsetFetchResponse(
                        groups: request.groups.map { self.answer($0, found[$0.groupID] ?? Offsets()) }))
            }
        } else {
            groups.committedOffsets(group: request.groupID) { committed, unstable in
                let offsets = Offsets(committed: committed, unstable: request.requireStable ? unstable : [])
                exchange.reply(OffsetFetchResponse(topics: self.answer(request.topics, offsets)))
            }
        }
    }

    /// Asks for the offsets of one group after the other.
    private static func collect(
        _ rest: ArraySlice<OffsetFetchRequest.OffsetFetchRequestGroup>, _ found: [String: Offsets],
        _ groups: GroupCoordinator, requireStable: Bool, _ done: @escaping @Sendable ([String: Offsets]) -> Void
    ) {
        guard let group = rest.first else { return done(found) }
        groups.committedOffsets(group: group.groupID) { committed, unstable in
            var found = found
            found[group.groupID] = Offsets(committed: committed, unstable: requireStable ? unstable : [])
            self.collect(rest.dropFirst(), found, groups, requireStable: requireStable, done)
        }
    }

    private static func answer(
        _ topics: [OffsetFetchRequest.OffsetFetchRequestTopic]?, _ offsets: Offsets
    ) -> [OffsetFetchResponse.OffsetFetchResponseTopic] {
        let wanted = topics ?? self.all(offsets).map { .init(name: $0, partitionIndexes: $1) }
        return wanted.map { topic in
            .init(
                name: topic.name,
                partitions: topic.partitionIndexes.map { index in
                    let name = PartitionName(topic: topic.name, partition: index)
                    guard !offsets.unstable.contains(name) else {
                        return .init(
                            partitionIndex: index, committedOffset: -1, committedLeaderEpoch: -1, metadata: "",
                            errorCode: .unstableOffsetCommit)
                    }
                    let committed = offsets.committed[name]
                    return .init(
                        partitionIndex: index, committedOffset: committed?.offset ?? -1,
                        committedLeaderEpoch: committed?.leaderEpoch ?? -1, metadata: committed?.metadata ?? "")
                })
        }
    }

    private static func answer(
        _ group: OffsetFetchRequest.OffsetFetchRequestGroup, _ offsets: Offsets
    ) -> OffsetFetchResponse.OffsetFetchResponseGroup {
        let wanted = group.topics ?? self.all(offsets).map { .init(name: $0, partitionIndexes: $1) }
        return .init(
            groupID: group.groupID,
            topics: wanted.map { topic in
                .init(
                    name: topic.name,
                    partitions: topic.partitionIndexes.map { index in
                        let name = PartitionName(topic: topic.name, partition: index)
                        guard !offsets.unstable.contains(name) else {
                            return .init(
                                partitionIndex: index, committedOffset: -1, committedLeaderEpoch: -1, metadata: "",
                                errorCode: .unstableOffsetCommit)
                        }
                        let committed = offsets.committed[name]
                        return .init(
                            partitionIndex: index, committedOffset: committed?.offset ?? -1,
                            committedLeaderEpoch: committed?.leaderEpoch ?? -1, metadata: committed?.metadata ?? "")
                    })
            })
    }

    private static func all(_ offsets: Offsets) -> [(String, [Int32])] {
        var topics: [String: [Int32]] = [:]
        for name in offsets.committed.keys { topics[name.topic, default: []].append(name.partition) }
        return topics.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
    }
}
