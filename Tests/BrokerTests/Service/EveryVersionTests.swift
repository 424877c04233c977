import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// Each request of the table in each of its versions gets an answer that its client can read.
@Suite struct EveryVersionTests {
    /// What a request says, given its version; fields that a version lacks are at their defaults.
    private static let asks: [APIKey: @Sendable (RawClient, Int16) async throws -> Void] = [
        .produce: { client, version in
            let request =
                version >= 3 ? try Requests.produce(["x"], to: "t") : try Requests.legacyProduce(["x"], to: "t")
            _ = try await client.ask(request, version: version)
        },
        .fetch: { _ = try await $0.ask(Requests.fetch("t"), version: $1) },
        .listOffsets: {
            _ = try await $0.ask(
                ListOffsetsRequest(topics: [
                    .init(name: "t", partitions: [.init(partitionIndex: 0, timestamp: -1), .init(partitionIndex: 9)])
                ]), version: $1)
        },
        .metadata: { _ = try await $0.ask(Requests.metadata(["t", "no such name!"]), version: $1) },
        .offsetCommit: {
            _ = try await $0.ask(
                OffsetCommitRequest(
                    groupID: "g",
                    topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])]),
                version: $1)
        },
        .offsetFetch: { client, version in
            let old = OffsetFetchRequest(groupID: "g", topics: [.init(name: "t", partitionIndexes: [0])])
            let new = OffsetFetchRequest(groups: [.init(groupID: "g", topics: nil)])
            _ = try await client.ask(version >= 8 ? new : old, version: version)
        },
        .findCoordinator: { client, version in
            let old = FindCoordinatorRequest(key: "g")
            _ = try await client.ask(
                version >= 4 ? FindCoordinatorRequest(coordinatorKeys: ["g"]) : old, version: version)
        },
        .joinGroup: {
            _ = try await $0.ask(
                JoinGroupRequest(
                    groupID: "h\($1)", sessionTimeoutMs: 10_000, protocolType: "consumer",
                    protocols: [.init(name: "range")]),
                version: $1)
        },
        .syncGroup: { _ = try await $0.ask(SyncGroupRequest(groupID: "g", memberID: "m"), version: $1) },
        .heartbeat: { _ = try await $0.ask(HeartbeatRequest(groupID: "g", memberID: "m"), version: $1) },
        .leaveGroup: { client, version in
            let old = LeaveGroupRequest(groupID: "g", memberID: "m")
            let new = LeaveGroupRequest(groupID: "g", members: [.init(memberID: "m")])
            _ = try await client.ask(version >= 3 ? new : old, version: version)
        },
        .describeGroups: { _ = try await $0.ask(DescribeGroupsRequest(groups: ["g", "?"]), version: $1) },
        .listGroups: { _ = try await $0.ask(ListGroupsRequest(), version: $1) },
        .apiVersions: { _ = try await $0.ask(ApiVersionsRequest(), version: $1) },
        .createTopics: {
            _ = try await $0.ask(
                CreateTopicsRequest(topics: [
                    .init(
                        name: "v\($1)", numPartitions: 1, replicationFactor: 1,
                        configs: [.init(name: "retention.ms", value: "1000")])
                ]), version: $1)
        },
        .deleteTopics: { client, version in
            let request =
                version >= 6
                ? DeleteTopicsRequest(topics: [.init(name: "v0")]) : DeleteTopicsRequest(topicNames: ["v0", "?"])
            _ = try await client.ask(request, version: version)
        },
        .offsetForLeaderEpoch: {
            _ = try await $0.ask(
                OffsetForLeaderEpochRequest(topics: [.init(topic: "t", partitions: [.init(partition: 0)])]),
                version: $1)
        },
        .describeConfigs: {
            _ = try await $0.ask(
                DescribeConfigsRequest(
                    resources: [
                        .init(resourceType: 2, resourceName: "t"), .init(resourceType: 4, resourceName: "1"),
                    ], includeSynonyms: $1 >= 1, includeDocumentation: $1 >= 3), version: $1)
        },
        .alterConfigs: {
            _ = try await $0.ask(
                AlterConfigsRequest(resources: [
                    .init(resourceType: 2, resourceName: "t", configs: [.init(name: "retention.ms", value: "1")])
                ]), version: $1)
        },
        .incrementalAlterConfigs: {
            _ = try await $0.ask(
                IncrementalAlterConfigsRequest(resources: [
                    .init(resourceType: 2, resourceName: "t", configs: [.init(name: "retention.ms", value: "1")])
                ]), version: $1)
        },
        .describeLogDirs: { _ = try await $0.ask(DescribeLogDirsRequest(topics: nil), version: $1) },
        .createPartitions: {
            _ = try await $0.ask(
                CreatePartitionsRequest(topics: [.init(name: "t", count: Int32($1) + 2)]), version: $1)
        },
        .deleteGroups: { _ = try await $0.ask(DeleteGroupsRequest(groupsNames: ["g", "?"]), version: $1) },
        .offsetDelete: {
            _ = try await $0.ask(
                OffsetDeleteRequest(
                    groupID: "g", topics: [.init(name: "t", partitions: [.init(partitionIndex: 0)])]), version: $1)
        },
        .describeCluster: { _ = try await $0.ask(DescribeClusterRequest(), version: $1) },
        .describeTopicPartitions: { _ = try await $0.ask(DescribeTopicPartitionsRequest(), version: $1) },
        .deleteRecords: {
            _ = try await $0.ask(
                DeleteRecordsRequest(topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, offset: 0)])]),
                version: $1)
        },
        .initProducerId: { client, version in
            _ = try await client.ask(InitProducerIdRequest(transactionalID: nil), version: version)
            _ = try await client.ask(
                InitProducerIdRequest(transactionalID: "x", transactionTimeoutMs: 1_000), version: version)
        },
        .addPartitionsToTxn: {
            _ = try await $0.ask(
                AddPartitionsToTxnRequest(transactionalID: "x", topics: [.init(name: "t", partitions: [0])]),
                version: $1)
        },
        .addOffsetsToTxn: {
            _ = try await $0.ask(AddOffsetsToTxnRequest(transactionalID: "x", groupID: "g"), version: $1)
        },
        .endTxn: { _ = try await $0.ask(EndTxnRequest(transactionalID: "x", committed: true), version: $1) },
        .txnOffsetCommit: {
            _ = try await $0.ask(
                TxnOffsetCommitRequest(
                    transactionalID: "x", groupID: "g",
                    topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])]),
                version: $1)
        },
        .describeProducers: {
            _ = try await $0.ask(
                DescribeProducersRequest(topics: [.init(name: "t", partitionIndexes: [0, 9])]), version: $1)
        },
        .describeTransactions: {
            _ = try await $0.ask(DescribeTransactionsRequest(transactionalIDs: ["x"]), version: $1)
        },
        .listTransactions: { _ = try await $0.ask(ListTransactionsRequest(), version: $1) },
    ]

    @Test(arguments: APITable.entries.map(\.key))
    func isAnswered(_ key: APIKey) async throws {
        let ask = try #require(Self.asks[key])
        let versions = try #require(APITable.entries.first { $0.key == key }?.versions)
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            for version in versions { try await ask(client, version) }
            #expect(broker.log.matching("closed the connection").isEmpty)
        }
    }

    /// No handshake comes first, as with clients from before ApiVersions.
    @Test(arguments: APITable.entries.map(\.key))
    func isAnsweredAsTheFirstFrameOfAConnection(_ key: APIKey) async throws {
        let ask = try #require(Self.asks[key])
        let versions = try #require(APITable.entries.first { $0.key == key }?.versions)
        try await withBroker(in: TemporaryDirectory()) { broker in
            for version in [versions.lowerBound, versions.upperBound] {
                try await ask(try await broker.connect(), version)
            }
            #expect(broker.log.matching("closed the connection").isEmpty)
        }
    }
}
