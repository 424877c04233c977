import KafkaProtocol

// OffsetFetch (9): how far groups have come.
//
// - Offset -1 for a partition without a commit. Topics null (version 2) means all that the group has committed.
// - Version 8 asks for several groups; all offsets of one are answered once. With `requireStable` (version 7) a partition for
//   which an open transaction commits something is answered UNSTABLE_OFFSET_COMMIT, so that a consumer does not begin before
//   what may be committed (KIP-447).
enum OffsetFetchHandler: RequestHandler {
    private typealias Offsets = GroupOffsets

    static func handle(_ request: OffsetFetchRequest, _ exchange: Exchange<OffsetFetchResponse>) {
        let groups = exchange.context.node.groups
        if exchange.context.apiVersion >= 8 {
            var seen: Set<String> = []
            let asked = request.groups.filter { $0.topics != nil || seen.insert($0.groupID).inserted }
            groups.committedOffsets(groups: Set(asked.map(\.groupID))) { found in
                exchange.reply(
                    OffsetFetchResponse(
                        groups: asked.map {
                            self.answer($0, (found[$0.groupID] ?? GroupOffsets()).stable(request.requireStable))
                        }))
            }
        } else {
            groups.committedOffsets(groups: [request.groupID]) { found in
                let offsets = (found[request.groupID] ?? GroupOffsets()).stable(request.requireStable)
                exchange.reply(OffsetFetchResponse(topics: self.answer(request.topics, offsets)))
            }
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
