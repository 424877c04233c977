import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import Broker

/// Members of the past may not speak for the group: generations and static members (KIP-345), over a socket.
@Suite struct FencingTests {
    private static func join(
        _ client: RawClient, instance: String? = nil, session: Int32 = 30_000
    ) async throws -> JoinGroupResponse {
        let request = JoinGroupRequest(
            groupID: "g", sessionTimeoutMs: session, rebalanceTimeoutMs: 30_000, groupInstanceID: instance,
            protocolType: "consumer", protocols: [.init(name: "range")])
        return try await client.ask(request, version: instance == nil ? 3 : 5)
    }

    private static func sync(_ client: RawClient, _ joined: JoinGroupResponse) async throws {
        let request = SyncGroupRequest(
            groupID: "g", generationID: joined.generationID, memberID: joined.memberID,
            assignments: [.init(memberID: joined.memberID, assignment: ByteBuffer(string: "all"))])
        #expect(try await client.ask(request, version: 2).errorCode == ErrorCode.none)
    }

    private static func commit(
        _ client: RawClient, _ member: String, _ generation: Int32, instance: String? = nil
    ) async throws -> ErrorCode? {
        let request = OffsetCommitRequest(
            groupID: "g", generationIdOrMemberEpoch: generation, memberID: member, groupInstanceID: instance,
            topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])])
        return try await client.ask(request).topics.first?.partitions.first?.errorCode
    }

    @Test func commitsOfOtherGenerationsAndStrangersAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            let joined = try await Self.join(client)
            try await Self.sync(client, joined)
            let (member, generation) = (joined.memberID, joined.generationID)
            #expect(try await Self.commit(client, member, generation) == ErrorCode.none)
            #expect(try await Self.commit(client, member, generation - 1) == .illegalGeneration)
            #expect(try await Self.commit(client, member, generation + 1) == .illegalGeneration)
            #expect(try await Self.commit(client, "stranger", generation) == .unknownMemberID)
            #expect(try await Self.commit(client, "", -1) == .unknownMemberID)
        }
    }

    @Test func aStaticMemberThatStartsAnewFencesItsFormerSelf() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            let former = try await Self.join(client, instance: "host-1")
            try await Self.sync(client, former)
            let again = try await Self.join(client, instance: "host-1")
            #expect(again.generationID == former.generationID && again.memberID != former.memberID)
            let (old, generation) = (former.memberID, former.generationID)
            #expect(try await Self.commit(client, old, generation, instance: "host-1") == .fencedInstanceID)
            #expect(try await Self.commit(client, again.memberID, generation, instance: "host-1") == ErrorCode.none)
            let heartbeat = HeartbeatRequest(
                groupID: "g", generationID: generation, memberID: old, groupInstanceID: "host-1")
            #expect(try await client.ask(heartbeat, version: 3).errorCode == .fencedInstanceID)
            // An administrator removes it by its instance id.
            let leave = LeaveGroupRequest(groupID: "g", members: [.init(memberID: "", groupInstanceID: "host-1")])
            #expect(try await client.ask(leave, version: 3).members.map(\.errorCode) == [ErrorCode.none])
        }
    }

    @Test func sessionTimeoutsBeyondTheBoundsAreRefused() async throws {
        try await withBroker(
            in: TemporaryDirectory(),
            configure: { $0.groups.sessionTimeouts = .seconds(6) ... .seconds(60) }
        ) { broker in
            let client = try await broker.connect()
            for (session, code) in [(Int32(5_999), ErrorCode.invalidSessionTimeout), (60_001, .invalidSessionTimeout)] {
                #expect(try await Self.join(client, session: session).errorCode == code)
            }
            for session in [Int32(-1), 0, .min] {
                #expect(try await Self.join(client, session: session).errorCode == .invalidSessionTimeout)
            }
            #expect(try await Self.join(client, session: 6_000).errorCode == ErrorCode.none)
        }
    }
}
