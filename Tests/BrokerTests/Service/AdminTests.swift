import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// What administrators ask for, beside topics and their settings.
@Suite struct AdminTests {
    @Test func topicsGetMorePartitionsThatAreKept() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory, configure: { $0.limits.partitionsPerTopic = 5 }) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["old"], to: "t"))
            func code(_ count: Int32, _ topic: String = "t", brokers: [Int32]? = nil) async throws -> ErrorCode? {
                let wanted = CreatePartitionsRequest.CreatePartitionsTopic(
                    name: topic, count: count, assignments: brokers.map { $0.map { .init(brokerIDs: [$0]) } })
                return try await client.ask(CreatePartitionsRequest(topics: [wanted])).results.first?.errorCode
            }
            #expect(try await code(1) == .invalidPartitions)
            #expect(try await code(6) == .invalidPartitions)
            #expect(try await code(2, "missing") == .unknownTopicOrPartition)
            #expect(try await code(3, brokers: [1]) == .invalidReplicaAssignment)
            #expect(try await code(2, brokers: [7]) == .invalidReplicaAssignment)
            #expect(try await code(2, brokers: [1]) == ErrorCode.none)
            let checked = try await client.ask(
                CreatePartitionsRequest(topics: [.init(name: "t", count: 4)], validateOnly: true))
            #expect(checked.results.map(\.errorCode) == [ErrorCode.none])
            #expect(try await code(3) == ErrorCode.none)
            let answer = try await client.ask(try Requests.produce(["new"], to: "t", partition: 2)).only
            #expect(answer.errorCode == .none && answer.baseOffset == 0)
            #expect(try await client.ask(Requests.fetch("t")).values == ["old"])
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.metadata(["t"])).topics.first?.partitions.count == 3)
            #expect(try await client.ask(Requests.fetch("t", partition: 2)).values == ["new"])
            _ = try await client.ask(DeleteTopicsRequest(topics: [.init(name: "t")]))
            _ = try await client.ask(try Requests.produce(["fresh"], to: "t"))
            #expect(try await client.ask(Requests.fetch("t")).values == ["fresh"])
        }
    }

    @Test func recordsAreDeletedUpToAnOffsetForGood() async throws {
        let directory = try TemporaryDirectory()
        func delete(_ client: RawClient, _ offset: Int64, partition: Int32 = 0) async throws -> (Int64?, ErrorCode?) {
            let wanted = DeleteRecordsRequest.DeleteRecordsPartition(partitionIndex: partition, offset: offset)
            let answer = try await client.ask(DeleteRecordsRequest(topics: [.init(name: "t", partitions: [wanted])]))
            let result = answer.topics.first?.partitions.first
            return (result?.lowWatermark, result?.errorCode)
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            for value in ["a", "b", "c"] { _ = try await client.ask(try Requests.produce([value], to: "t")) }
            #expect(try await delete(client, 2) == (2, ErrorCode.none))
            #expect(try await delete(client, 1) == (2, ErrorCode.none))
            #expect(try await delete(client, 4) == (-1, .offsetOutOfRange))
            #expect(try await delete(client, 0, partition: 9) == (-1, .unknownTopicOrPartition))
            #expect(try await client.ask(Requests.fetch("t", from: 1)).only.errorCode == .offsetOutOfRange)
            #expect(try await client.ask(Requests.fetch("t", from: 2)).values == ["c"])
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.fetch("t", from: 2)).only.logStartOffset == 2)
            #expect(try await delete(client, -1) == (3, ErrorCode.none))
            let size = try await client.ask(DescribeLogDirsRequest(topics: nil)).results.first?.topics.first
            #expect(size?.partitions.map(\.partitionSize) == [0])
            #expect(try await client.ask(try Requests.produce(["d"], to: "t")).only.baseOffset == 3)
            #expect(try await client.ask(Requests.fetch("t", from: 3)).values == ["d"])
        }
    }

    private static func commit(_ group: String, _ offset: Int64, topics: [String]) -> OffsetCommitRequest {
        OffsetCommitRequest(
            groupID: group,
            topics: topics.map {
                .init(name: $0, partitions: [.init(partitionIndex: 0, committedOffset: offset)])
            })
    }

    private static func offsets(_ client: RawClient, _ group: String) async throws -> [String] {
        let answer = try await client.ask(OffsetFetchRequest(groups: [.init(groupID: group, topics: nil)]))
        return answer.groups.first?.topics.map(\.name) ?? []
    }

    /// Joins as the only member, subscribing to one topic.
    private static func join(_ client: RawClient, _ group: String, _ topic: String) async throws {
        let metadata = try ConsumerProtocolSubscription(topics: [topic]).versionedBytes(version: 1)
        let joined = try await client.ask(
            JoinGroupRequest(
                groupID: group, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, protocolType: "consumer",
                protocols: [.init(name: "range", metadata: metadata)]), version: 2)
        #expect(joined.errorCode == .none)
        _ = try await client.ask(
            SyncGroupRequest(groupID: group, generationID: joined.generationID, memberID: joined.memberID), version: 2)
    }

    @Test func groupsAreDeletedOnceTheyAreEmpty() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            _ = try await client.ask(Self.commit("idle", 1, topics: ["t"]))
            try await Self.join(client, "busy", "t")
            let answer = try await client.ask(DeleteGroupsRequest(groupsNames: ["idle", "busy", "missing"]))
            #expect(answer.results.map(\.groupID) == ["idle", "busy", "missing"])
            #expect(answer.results.map(\.errorCode) == [.none, .nonEmptyGroup, .groupIDNotFound])
            #expect(try await Self.offsets(client, "idle").isEmpty)
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(ListGroupsRequest()).groups.map(\.groupID) == ["busy"])
        }
    }

    @Test func singleOffsetsAreDeletedUnlessAMemberSubscribesToTheTopic() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t", "u"]))
            _ = try await client.ask(Self.commit("g", 1, topics: ["t", "u"]))
            try await Self.join(client, "g", "t")
            func codes(_ group: String) async throws -> (ErrorCode, [[ErrorCode]]) {
                let answer = try await client.ask(
                    OffsetDeleteRequest(
                        groupID: group,
                        topics: ["t", "u", "missing"].map { .init(name: $0, partitions: [.init(partitionIndex: 0)]) }))
                return (answer.errorCode, answer.topics.map { $0.partitions.map(\.errorCode) })
            }
            #expect(try await codes("missing").0 == .groupIDNotFound)
            #expect(try await codes("g").1 == [[.groupSubscribedToTopic], [.none], [.unknownTopicOrPartition]])
            #expect(try await Self.offsets(client, "g") == ["t"])
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await Self.offsets(client, "g") == ["t"])
        }
    }

    @Test func theClusterAndItsDirectoryAreDescribed() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let produced = try Requests.batch(["x"])
            _ = try await client.ask(Requests.produce(produced, to: "t"))
            let metadata = try await client.ask(Requests.metadata(["u"]))
            let cluster = try await client.ask(DescribeClusterRequest())
            #expect(cluster.clusterID == metadata.clusterID && cluster.controllerID == 1)
            #expect(cluster.brokers.map(\.port) == [Int32(broker.port)])
            let controllers = try await client.ask(DescribeClusterRequest(endpointType: 2))
            #expect(controllers.errorCode == .unsupportedEndpointType)

            let all = try await client.ask(DescribeLogDirsRequest(topics: nil)).results
            #expect(all.first?.topics.map(\.name) == ["t", "u"])
            #expect((all.first?.totalBytes ?? 0) > (all.first?.usableBytes ?? 0))
            let one = try await client.ask(
                DescribeLogDirsRequest(topics: [.init(topic: "t", partitions: [0, 9]), .init(topic: "?")])
            ).results
            #expect(
                one.first?.topics.map { $0.partitions.map(\.partitionSize) } == [[Int64(produced.bytes.readableBytes)]])
        }
    }

    @Test func theOneLeaderEpochEndsWhereTheLogEnds() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x", "y"], to: "t"))
            func end(
                _ epoch: Int32, current: Int32 = -1, partition: Int32 = 0
            ) async throws -> OffsetForLeaderEpochResponse.EpochEndOffset? {
                let wanted = OffsetForLeaderEpochRequest.OffsetForLeaderPartition(
                    partition: partition, currentLeaderEpoch: current, leaderEpoch: epoch)
                let request = OffsetForLeaderEpochRequest(topics: [.init(topic: "t", partitions: [wanted])])
                return try await client.ask(request).topics.first?.partitions.first
            }
            #expect(try await end(0, current: 0)?.endOffset == 2)
            #expect(try await end(1)?.endOffset == -1)
            #expect(try await end(0, current: 3)?.errorCode == .unknownLeaderEpoch)
            #expect(try await end(0, partition: 9)?.errorCode == .unknownTopicOrPartition)
        }
    }

    @Test func partitionsAreDescribedInPieces() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.defaultPartitions = 3 }) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["a", "b"]))
            var pieces: [String] = []
            var cursor: DescribeTopicPartitionsRequest.Cursor?
            repeat {
                let answer = try await client.ask(
                    DescribeTopicPartitionsRequest(responsePartitionLimit: 2, cursor: cursor))
                pieces.append(
                    answer.topics.map { "\($0.name ?? "")\($0.partitions.map(\.partitionIndex))" }.joined(
                        separator: " "))
                cursor = answer.nextCursor.map { .init(topicName: $0.topicName, partitionIndex: $0.partitionIndex) }
            } while cursor != nil && pieces.count < 9
            #expect(pieces == ["a[0, 1]", "a[2] b[0]", "b[1, 2]"])
            let missing = try await client.ask(DescribeTopicPartitionsRequest(topics: [.init(name: "c")]))
            #expect(missing.topics.map(\.errorCode) == [.unknownTopicOrPartition])
        }
    }
}
