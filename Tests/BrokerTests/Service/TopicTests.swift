import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

@Suite struct TopicTests {
    @Test func metadataDescribesTheOneBrokerInEveryVersion() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.defaultPartitions = 2 }) { broker in
            let client = try await broker.connect()
            for version in MetadataRequest.supportedVersions {
                let response = try await client.ask(Requests.metadata(["t"]), version: version)
                #expect(response.brokers.map(\.host) == ["127.0.0.1"])
                #expect(response.brokers.map(\.port) == [Int32(broker.port)])
                #expect(response.topics.map(\.name) == ["t"])
                #expect(response.topics.first?.errorCode == ErrorCode.none)
                #expect(response.topics.first?.partitions.map(\.leaderID) == [1, 1])
            }
            // All topics: an empty list in version 0, null later; an empty list later means none.
            #expect(try await client.ask(Requests.metadata([]), version: 0).topics.count == 1)
            #expect(try await client.ask(Requests.metadata(nil), version: 1).topics.count == 1)
            #expect(try await client.ask(Requests.metadata([]), version: 1).topics.isEmpty)
        }
    }

    @Test func clientsAreToldTheAdvertisedAddress() async throws {
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.advertisedHost = "broker.example"
                $0.advertisedPort = 19_092
            }
        ) { broker in
            let client = try await broker.connect()
            let metadata = try await client.ask(Requests.metadata([]))
            #expect(metadata.brokers.map(\.host) == ["broker.example"])
            let found = try await client.ask(FindCoordinatorRequest(key: "g"), version: 3)
            #expect(found.host == "broker.example" && found.port == 19_092 && found.nodeID == 1)
            let several = try await client.ask(FindCoordinatorRequest(coordinatorKeys: ["g", "h"]), version: 4)
            #expect(several.coordinators.map(\.key) == ["g", "h"])
        }
    }

    @Test func askingDoesNotCreateWhereTheRequestForbidsIt() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let answer = try await client.ask(Requests.metadata(["t"], create: false))
            #expect(answer.topics.map(\.errorCode) == [.unknownTopicOrPartition])
            #expect(try await client.ask(Requests.metadata(["t"])).topics.map(\.errorCode) == [ErrorCode.none])
        }
    }

    @Test(arguments: ["", ".", "..", "a b", "a/b", "\u{e9}", String(repeating: "x", count: 250)])
    func impossibleNamesAreRefused(_ name: String) async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.metadata([name])).topics.map(\.errorCode) == [.invalidTopicException])
            let created = try await client.ask(
                CreateTopicsRequest(topics: [.init(name: name, numPartitions: 1, replicationFactor: 1)]))
            #expect(created.topics.map(\.errorCode) == [.invalidTopicException])
            #expect(created.topics.first?.errorMessage?.isEmpty == false)
        }
    }

    @Test func topicsAreCreatedAndDeleted() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for version in CreateTopicsRequest.supportedVersions {
                let name = "topic-\(version)"
                let created = try await client.ask(
                    CreateTopicsRequest(topics: [.init(name: name, numPartitions: 3, replicationFactor: 1)]),
                    version: version)
                #expect(created.topics.map(\.errorCode) == [ErrorCode.none])
                let again = try await client.ask(
                    CreateTopicsRequest(topics: [.init(name: name, numPartitions: 3, replicationFactor: 1)]),
                    version: version)
                #expect(again.topics.map(\.errorCode) == [.topicAlreadyExists])
            }
            let all = try await client.ask(Requests.metadata(nil))
            #expect(all.topics.allSatisfy { $0.partitions.count == 3 })
            for version in DeleteTopicsRequest.supportedVersions {
                let name = "topic-\(version)"
                let request =
                    version >= 6
                    ? DeleteTopicsRequest(topics: [.init(name: name)]) : DeleteTopicsRequest(topicNames: [name])
                #expect(try await client.ask(request, version: version).responses.map(\.errorCode) == [ErrorCode.none])
                let again = try await client.ask(request, version: version)
                #expect(again.responses.map(\.errorCode) == [.unknownTopicOrPartition])
            }
            let last = try #require(try await client.ask(Requests.metadata(["topic-7"])).topics.first)
            let deleted = try await client.ask(DeleteTopicsRequest(topics: [.init(topicID: last.topicID)]))
            #expect(deleted.responses.map(\.name) == ["topic-7"])
            #expect(try await client.ask(Requests.metadata(nil)).topics.isEmpty)
        }
    }

    @Test func impossibleTopicsAreRefusedWithAReason() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.partitionsPerTopic = 10 }) { broker in
            let client = try await broker.connect()
            func code(_ topic: CreateTopicsRequest.CreatableTopic) async throws -> ErrorCode? {
                let result = try await client.ask(CreateTopicsRequest(topics: [topic])).topics.first
                #expect(result?.errorMessage?.isEmpty == false)
                return result?.errorCode
            }
            #expect(try await code(.init(name: "t", numPartitions: 0, replicationFactor: 1)) == .invalidPartitions)
            #expect(try await code(.init(name: "t", numPartitions: 11, replicationFactor: 1)) == .invalidPartitions)
            #expect(
                try await code(.init(name: "t", numPartitions: 1, replicationFactor: 3)) == .invalidReplicationFactor)
            #expect(
                try await code(
                    .init(
                        name: "t", numPartitions: -1, replicationFactor: -1,
                        assignments: [.init(partitionIndex: 0, brokerIDs: [7])])) == .invalidReplicaAssignment)
            let twice = try await client.ask(
                CreateTopicsRequest(topics: [
                    .init(name: "t", numPartitions: 1, replicationFactor: 1),
                    .init(name: "t", numPartitions: 1, replicationFactor: 1),
                ]))
            #expect(twice.topics.map(\.errorCode) == [.invalidRequest, .invalidRequest])
            let checked = try await client.ask(
                CreateTopicsRequest(
                    topics: [.init(name: "t", numPartitions: 1, replicationFactor: 1)], validateOnly: true))
            #expect(checked.topics.map(\.errorCode) == [ErrorCode.none])
            #expect(try await client.ask(Requests.metadata(nil)).topics.isEmpty)
        }
    }

    @Test func deletingATopicEndsLongPollsAndForgetsItsRecordsAndOffsets() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["old"], to: "t"))
            _ = try await client.ask(
                OffsetCommitRequest(
                    groupID: "g",
                    topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])]))
            let waiting = try await broker.connect()
            try await waiting.send(Requests.fetch("t", from: 1, waitMs: 60_000))
            // The fetch waits once the broker has taken it, which it does in order with the next request's arrival.
            try await eventually("the fetch is waiting") { broker.service.statistics.requests >= 3 }
            _ = try await client.ask(DeleteTopicsRequest(topics: [.init(name: "t")]))
            let answer = try await waiting.answer(to: FetchRequest.self).response
            #expect(answer.only.errorCode == .unknownTopicOrPartition)

            _ = try await client.ask(try Requests.produce(["new"], to: "t"))
            #expect(try await client.ask(Requests.fetch("t")).values == ["new"])
            let offsets = try await client.ask(
                OffsetFetchRequest(groups: [.init(groupID: "g", topics: nil)]))
            #expect(offsets.groups.first?.topics.isEmpty == true)
        }
    }
}
