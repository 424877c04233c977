import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// Offsets of groups that nobody is in are forgotten after the retention time.
@Suite struct OffsetExpiryTests {
    private static let dayMilliseconds: Int64 = 86_400_000

    private static func clock(day: Int64) -> BrokerClock {
        BrokerClock(now: { .now() }, wallMilliseconds: { 1_800_000_000_000 + day * Self.dayMilliseconds })
    }

    private static func commit(_ group: String, member: String = "", generation: Int32 = -1) -> OffsetCommitRequest {
        OffsetCommitRequest(
            groupID: group, generationIdOrMemberEpoch: generation, memberID: member,
            topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 7)])])
    }

    private static func offset(_ client: RawClient, _ group: String) async throws -> Int64? {
        let request = OffsetFetchRequest(
            groups: [.init(groupID: group, topics: [.init(name: "t", partitionIndexes: [0])])])
        return try await client.ask(request).groups.first?.topics.first?.partitions.first?.committedOffset
    }

    @Test func theyAreCountedFromTheLastCommitOrMember() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory, clock: Self.clock(day: 0)) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            _ = try await client.ask(Self.commit("alone"))
            _ = try await client.ask(Self.commit("joined"))
        }
        try await withBroker(in: directory, clock: Self.clock(day: 5)) { broker in
            let client = try await broker.connect()
            #expect(try await Self.offset(client, "alone") == 7)
            let joined = try await client.ask(
                JoinGroupRequest(
                    groupID: "joined", sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, protocolType: "consumer",
                    protocols: [.init(name: "range")]), version: 2)
            _ = try await client.ask(
                SyncGroupRequest(
                    groupID: "joined", generationID: joined.generationID, memberID: joined.memberID), version: 2)
            let left = try await client.ask(
                LeaveGroupRequest(groupID: "joined", memberID: joined.memberID), version: 2)
            #expect(left.errorCode == ErrorCode.none)
        }
        try await withBroker(in: directory, clock: Self.clock(day: 8)) { broker in
            let client = try await broker.connect()
            #expect(try await Self.offset(client, "alone") == -1)
            #expect(try await Self.offset(client, "joined") == 7)
        }
        try await withBroker(in: directory, clock: Self.clock(day: 13)) { broker in
            let client = try await broker.connect()
            #expect(try await Self.offset(client, "joined") == -1)
            #expect(try await client.ask(ListGroupsRequest()).groups.isEmpty)
        }
    }
}
