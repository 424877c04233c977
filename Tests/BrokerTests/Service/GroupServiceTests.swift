import KafkaProtocol
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// Groups over real sockets.
@Suite struct GroupServiceTests {
    private static func join(_ memberID: String = "", sessionMs: Int32 = 10_000) -> JoinGroupRequest {
        JoinGroupRequest(
            groupID: "g", sessionTimeoutMs: sessionMs, rebalanceTimeoutMs: 60_000, memberID: memberID,
            protocolType: "consumer",
            protocols: [.init(name: "range", metadata: ByteBuffer(string: "subscription of everything"))])
    }

    private static func sync(_ joined: JoinGroupResponse, _ assignments: [String: String] = [:]) -> SyncGroupRequest {
        SyncGroupRequest(
            groupID: "g", generationID: joined.generationID, memberID: joined.memberID,
            assignments: assignments.map { .init(memberID: $0.key, assignment: ByteBuffer(string: $0.value)) })
    }

    private static func heartbeat(_ joined: JoinGroupResponse) -> HeartbeatRequest {
        HeartbeatRequest(groupID: "g", generationID: joined.generationID, memberID: joined.memberID)
    }

    private static func commit(_ offset: Int64, _ joined: JoinGroupResponse? = nil) -> OffsetCommitRequest {
        OffsetCommitRequest(
            groupID: "g", generationIdOrMemberEpoch: joined?.generationID ?? -1, memberID: joined?.memberID ?? "",
            topics: [
                .init(
                    name: "t",
                    partitions: [.init(partitionIndex: 0, committedOffset: offset, committedMetadata: "note")])
            ])
    }

    private static func committed(_ client: RawClient) async throws -> Int64? {
        let response = try await client.ask(OffsetFetchRequest(groups: [.init(groupID: "g", topics: nil)]))
        return response.groups.first?.topics.first?.partitions.first?.committedOffset
    }

    @Test func aLostMembersPartitionsGoToTheOthers() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let first = try await broker.connect()
            let second = try await broker.connect()
            let alone = try await first.ask(Self.join(), version: 3)
            #expect(alone.generationID == 1 && alone.leader == alone.memberID)
            _ = try await first.ask(Self.sync(alone, [alone.memberID: "all"]))

            try await second.send(Self.join(sessionMs: 1_000), version: 3)
            try await eventually("the first member is told to rejoin") {
                try await first.ask(Self.heartbeat(alone)).errorCode == .rebalanceInProgress
            }
            let leader = try await first.ask(Self.join(alone.memberID), version: 3)
            let follower = try await second.answer(to: JoinGroupRequest.self, version: 3).response
            #expect(leader.generationID == 2 && follower.generationID == 2)
            #expect(Set(leader.members.map(\.memberID)) == [leader.memberID, follower.memberID])
            try await second.send(Self.sync(follower))
            _ = try await first.ask(
                Self.sync(leader, [leader.memberID: "half", follower.memberID: "other half"]))
            let assigned = try await second.answer(to: SyncGroupRequest.self).response
            #expect(assigned.assignment == ByteBuffer(string: "other half"))

            // The second one dies without a word.
            await second.close()
            try await eventually("the first member is told to rejoin") {
                try await first.ask(Self.heartbeat(leader)).errorCode == .rebalanceInProgress
            }
            let survivor = try await first.ask(Self.join(leader.memberID), version: 3)
            #expect(survivor.generationID == 3)
            #expect(survivor.members.map(\.memberID) == [leader.memberID])
        }
    }

    @Test func offsetsAndMembersAreBackAfterARestart() async throws {
        let directory = try TemporaryDirectory()
        let joined = try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            let joined = try await client.ask(Self.join(), version: 3)
            _ = try await client.ask(Self.sync(joined, [joined.memberID: "all"]))
            for offset in Int64(1)...5 {
                let answer = try await client.ask(Self.commit(offset, joined))
                #expect(answer.topics.first?.partitions.first?.errorCode == ErrorCode.none)
            }
            #expect(try await Self.committed(client) == 5)
            return joined
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await Self.committed(client) == 5)
            // The member goes on in its generation as if nothing had happened.
            #expect(try await client.ask(Self.heartbeat(joined)).errorCode == .none)
            let sync = try await client.ask(Self.sync(joined))
            #expect(sync.assignment == ByteBuffer(string: "all"))
            let described = try await client.ask(DescribeGroupsRequest(groups: ["g", "nobody"]))
            #expect(described.groups.map(\.groupState) == ["Stable", "Dead"])
            #expect(described.groups.first?.members.map(\.memberID) == [joined.memberID])
            let listed = try await client.ask(ListGroupsRequest(statesFilter: ["Stable"]))
            #expect(listed.groups.map(\.groupID) == ["g"])
            #expect(try await client.ask(ListGroupsRequest(statesFilter: ["Empty"])).groups.isEmpty)
        }
    }

    @Test func offsetsAreRecordsInKafkasFormat() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            _ = try await client.ask(Self.commit(42))
            let bytes = try #require(try await client.ask(Requests.fetch("__consumer_offsets")).only.records)
            let record = try #require(try EncodedBatch.split(bytes).whole.last?.records().last)
            let key = try OffsetCommitKey(versioned: try #require(record.key))
            let value = try OffsetCommitValue(versioned: try #require(record.value))
            #expect(key == OffsetCommitKey(group: "g", topic: "t", partition: 0))
            #expect(value.offset == 42 && value.metadata == "note" && value.leaderEpoch == -1)
        }
    }

    @Test func aGroupsRecordIsOfTheOldestVersionThatHoldsIt() async throws {
        // Burrow 1.2 knows versions 0 and 1, in which members have no instance ids.
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for (instance, version) in [(nil, Int16(1)), ("instance", 3)] {
                var join = Self.join()
                join.groupID = "group of \(instance ?? "dynamic members")"
                join.groupInstanceID = instance
                let joined = try await client.ask(join, version: instance == nil ? 3 : 5)
                var sync = Self.sync(joined, [joined.memberID: "all"])
                sync.groupID = join.groupID
                sync.groupInstanceID = instance
                #expect(try await client.ask(sync).errorCode == .none)
                let bytes = try #require(try await client.ask(Requests.fetch("__consumer_offsets")).only.records)
                let record = try #require(try EncodedBatch.split(bytes).whole.last?.records().last)
                let value = try #require(record.value)
                #expect(value.getInteger(at: value.readerIndex, as: Int16.self) == version)
                #expect(try GroupMetadataValue(versioned: value).members.map(\.groupInstanceID) == [instance])
            }
        }
    }

    @Test func theOffsetsTopicStaysSmallAndForgetsNothing() async throws {
        let directory = try TemporaryDirectory()
        func configure(_ configuration: inout BrokerConfiguration) {
            configuration.limits.offsetsTopicBytes = 20_000
            configuration.durability = .pageCache
        }
        let recordCount = { (broker: RunningTestBroker) async throws -> Int64 in
            let client = try await broker.connect()
            let request = ListOffsetsRequest(
                topics: [
                    .init(
                        name: "__consumer_offsets",
                        partitions: [.init(partitionIndex: 0, timestamp: -1), .init(partitionIndex: 0, timestamp: -2)])
                ])
            let found = try await client.ask(request).topics[0].partitions.map(\.offset)
            return found[0] - found[1]
        }
        try await withBroker(in: directory, configure: configure) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            var other = Self.commit(77)
            other.groupID = "another"
            _ = try await client.ask(other)
            for offset in Int64(1)...2_500 { _ = try await client.ask(Self.commit(offset)) }
            try await eventually("old segments are gone") { try await recordCount(broker) <= 1_000 }
        }
        try await withBroker(in: directory, configure: configure) { broker in
            let client = try await broker.connect()
            #expect(try await Self.committed(client) == 2_500)
            let other = try await client.ask(OffsetFetchRequest(groups: [.init(groupID: "another", topics: nil)]))
            #expect(other.groups.first?.topics.first?.partitions.first?.committedOffset == 77)
        }
    }

    @Test func offsetsAreAskedForInEveryVersion() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            for version in OffsetCommitRequest.supportedVersions {
                let answer = try await client.ask(Self.commit(Int64(version)), version: version)
                #expect(answer.topics.first?.partitions.first?.errorCode == ErrorCode.none)
            }
            for version in Int16(0)...7 {
                let answer = try await client.ask(
                    OffsetFetchRequest(groupID: "g", topics: [.init(name: "t", partitionIndexes: [0, 3])]),
                    version: version)
                #expect(answer.topics.first?.partitions.map(\.committedOffset) == [8, -1])
                #expect(answer.topics.first?.partitions.map(\.metadata) == ["note", ""])
            }
        }
    }

    @Test func commitsForWhatDoesNotExistAreRefusedOneByOne() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.offsetMetadataBytes = 10 }) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "t"))
            var request = Self.commit(1)
            request.topics[0].partitions.append(.init(partitionIndex: 5, committedOffset: 1))
            request.topics[0].partitions.append(
                .init(partitionIndex: 0, committedOffset: 2, committedMetadata: "longer than ten bytes"))
            let codes = try await client.ask(request).topics.first?.partitions.map(\.errorCode)
            #expect(codes == [.offsetMetadataTooLarge, .unknownTopicOrPartition, .offsetMetadataTooLarge])
        }
    }

    @Test func membersOfLaterVersionsComeBackWithTheirID() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            for version in Int16(4)...7 {
                let required = try await client.ask(Self.join(), version: version, clientID: "me")
                #expect(required.errorCode == .memberIDRequired)
                #expect(required.memberID.hasPrefix("me-"))
                let joined = try await client.ask(Self.join(required.memberID), version: version)
                #expect(joined.errorCode == .none && joined.memberID == required.memberID)
                let left = try await client.ask(
                    LeaveGroupRequest(groupID: "g", members: [.init(memberID: joined.memberID)]))
                #expect(left.members.map(\.errorCode) == [ErrorCode.none])
            }
            for version in Int16(0)...3 {
                let joined = try await client.ask(Self.join(), version: version)
                #expect(joined.errorCode == .none)
                let left = try await client.ask(
                    LeaveGroupRequest(groupID: "g", memberID: joined.memberID), version: 2)
                #expect(left.errorCode == .none)
            }
            #expect(try await client.ask(ListGroupsRequest()).groups.isEmpty)
        }
    }

    @Test func groupsWithoutNameAndUnknownOnesAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            var nameless = Self.join()
            nameless.groupID = ""
            #expect(try await client.ask(nameless).errorCode == .invalidGroupID)
            #expect(try await client.ask(Self.join("ghost")).errorCode == .unknownMemberID)
            let ghost = JoinGroupResponse(generationID: 1, memberID: "ghost")
            #expect(try await client.ask(Self.heartbeat(ghost)).errorCode == .unknownMemberID)
            #expect(try await client.ask(Self.sync(ghost)).errorCode == .unknownMemberID)
            let commit = try await client.ask(Self.commit(1, ghost))
            #expect(commit.topics.first?.partitions.first?.errorCode == .unknownTopicOrPartition)
        }
    }
}
