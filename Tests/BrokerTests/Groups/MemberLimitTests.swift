import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// What members may bring, each of them and all together.
@Suite struct MemberLimitTests {
    private func join(
        _ group: String, bytes: Int, _ client: RawClient
    ) async throws -> JoinGroupResponse {
        try await client.ask(
            JoinGroupRequest(
                groupID: group, sessionTimeoutMs: 600_000, rebalanceTimeoutMs: 600_000, protocolType: "consumer",
                protocols: [.init(name: "r", metadata: ByteBuffer(repeating: 7, count: bytes))]), version: 2)
    }

    @Test func oneMemberMayBringSoMuch() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.memberBytes = 100 }) { broker in
            let client = try await broker.connect()
            #expect(try await self.join("g", bytes: 100, client).errorCode == .groupMaxSizeReached)
            let joined = try await self.join("g", bytes: 99, client)
            #expect(joined.errorCode == .none)
            let assignment = SyncGroupRequest.SyncGroupRequestAssignment(
                memberID: joined.memberID, assignment: ByteBuffer(repeating: 7, count: 101))
            let synced = try await client.ask(
                SyncGroupRequest(
                    groupID: "g", generationID: joined.generationID, memberID: joined.memberID,
                    assignments: [assignment]), version: 2)
            #expect(synced.errorCode == .groupMaxSizeReached)
            #expect(broker.service.statistics.refusedMembers == 2)
            #expect(broker.log.matching("over the limit of 100").count == 2)
        }
    }

    @Test func allMembersTogetherMayBringSoMuch() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.groupBytes = 250 }) { broker in
            let client = try await broker.connect()
            let first = try await self.join("g", bytes: 99, client)
            #expect(first.errorCode == .none)
            #expect(try await self.join("h", bytes: 99, client).errorCode == .none)
            #expect(try await self.join("i", bytes: 99, client).errorCode == .groupMaxSizeReached)
            // Whoever leaves makes room.
            _ = try await client.ask(
                LeaveGroupRequest(groupID: "g", members: [.init(memberID: first.memberID)]), version: 3)
            #expect(try await self.join("i", bytes: 99, client).errorCode == .none)
        }
    }

    @Test func aGroupHasSoManyMembers() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.membersPerGroup = 1 }) { broker in
            let client = try await broker.connect()
            #expect(try await self.join("g", bytes: 1, client).errorCode == .none)
            #expect(try await self.join("g", bytes: 1, client).errorCode == .groupMaxSizeReached)
            #expect(broker.service.statistics.refusedMembers == 1)
            #expect(broker.log.matching("the limit of 1 members per group is reached").count == 1)
        }
    }
}
