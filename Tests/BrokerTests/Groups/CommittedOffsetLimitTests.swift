import KafkaProtocol
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// What groups may commit, all together.
@Suite struct CommittedOffsetLimitTests {
    private static let name = PartitionName(topic: "t", partition: 0)

    private static func offset(_ metadata: String = "") -> CommittedOffset {
        CommittedOffset(offset: 1, leaderEpoch: -1, metadata: metadata, commitTimestamp: 5)
    }

    /// A commit of one client outside the group protocol for partitions of `t`.
    private func commit(
        _ group: String, _ partitions: [Int32], metadata: String = "", _ client: RawClient
    ) async throws -> [ErrorCode] {
        let offsets = partitions.map {
            OffsetCommitRequest.OffsetCommitRequestPartition(
                partitionIndex: $0, committedOffset: 1, committedMetadata: metadata)
        }
        let request = OffsetCommitRequest(groupID: group, topics: [.init(name: "t", partitions: offsets)])
        return try await client.ask(request).topics.flatMap(\.partitions).map(\.errorCode)
    }

    @Test func whatIsTakenAwayNoLongerCounts() {
        var offsets = CommittedOffsets()
        offsets[Self.name] = Self.offset("ab")
        #expect(offsets.byteCount == Self.offset("ab").byteCount(for: Self.name))
        offsets.merge([Self.name: Self.offset("abcd")])
        #expect(offsets.byteCount == Self.offset("abcd").byteCount(for: Self.name))
        offsets[Self.name] = nil
        offsets[Self.name] = nil
        #expect(offsets.byteCount == 0 && offsets.isEmpty)

        var pending = PendingOffsets()
        for producer in Int64(1)...3 {
            let offset = PendingOffset(committed: Self.offset("abc"), epoch: 0, appendedAt: Offset(producer))
            pending.add(Self.name, offset, producerID: producer)
            pending.add(Self.name, offset, producerID: producer)
        }
        #expect(pending.byteCount == 3 * Self.offset("abc").byteCount(for: Self.name))
        pending.supersede(Self.name, before: 2)
        #expect(pending.byteCount == 2 * Self.offset("abc").byteCount(for: Self.name))
        #expect(pending.end(producerID: 3, isCommit: true).count == 1)
        #expect(pending.byteCount == 0 && pending.isEmpty)
        pending.add(Self.name, PendingOffset(committed: Self.offset(), epoch: 0, appendedAt: 9), producerID: 1)
        #expect(pending.end(producerID: 1, isCommit: false).isEmpty && pending.byteCount == 0)
    }

    @Test func aCommitBeyondTheLimitIsRefusedButOneThatReplacesAnotherIsNot() async throws {
        let three = 3 * Self.offset().byteCount(for: Self.name)
        try await withBroker(
            in: TemporaryDirectory(),
            configure: {
                $0.limits.committedOffsetBytes = three
                $0.defaultPartitions = 4
            }
        ) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            #expect(try await self.commit("g", [0, 1], client) == [.none, .none])
            #expect(try await self.commit("h", [2], client) == [.none])
            #expect(try await self.commit("h", [3], client) == [.policyViolation])
            #expect(try await self.commit("i", [0], client) == [.policyViolation])
            #expect(try await self.commit("g", [0], metadata: "more", client) == [.policyViolation])
            #expect(try await self.commit("g", [0, 1], client) == [.none, .none])
            #expect(broker.log.matching("(--max-offset-memory)").count == 3)
            // Nothing is left of a group whose first commit was refused.
            #expect(try await client.ask(ListGroupsRequest()).groups.map(\.groupID) == ["g", "h"])
            // What is deleted makes room.
            #expect(try await client.ask(DeleteGroupsRequest(groupsNames: ["g"])).results.map(\.errorCode) == [.none])
            #expect(try await self.commit("i", [0, 3], client) == [.none, .none])
        }
    }
}
