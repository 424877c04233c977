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
                    let known = Known(PartitionName(topic: topic.name, partition: index), in: offsets)
                    return .init(
                        partitionIndex: index, committedOffset: known.offset, committedLeaderEpoch: known.leaderEpoch,
                        metadata: known.metadata, errorCode: known.code)
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
                        let known = Known(PartitionName(topic: topic.name, partition: index), in: offsets)
                        return .init(
                            partitionIndex: index, committedOffset: known.offset,
                            committedLeaderEpoch: known.leaderEpoch, metadata: known.metadata, errorCode: known.code)
                    })
            })
    }

    /// What is known of a partition, for both shapes of the answer.
    private struct Known {
        var offset: Int64 = -1
        var leaderEpoch: Int32 = -1
        var metadata = ""
        var code = ErrorCode.none

        init(_ name: PartitionName, in offsets: Offsets) {
            if offsets.unstable.contains(name) {
                code = .unstableOffsetCommit
            } else if let committed = offsets.committed[name] {
                (offset, leaderEpoch, metadata) = (committed.offset, committed.leaderEpoch, committed.metadata)
            }
        }
    }

    private static func all(_ offsets: Offsets) -> [(String, [Int32])] {
        var topics: [String: [Int32]] = [:]
        for name in offsets.committed.keys { topics[name.topic, default: []].append(name.partition) }
        return topics.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
    }
}
