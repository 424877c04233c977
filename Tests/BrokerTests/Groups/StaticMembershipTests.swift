import KafkaProtocol
import NIOCore
import OrderedCollections
import Testing

@testable import Broker

@Suite struct StaticMembershipTests {
    private static func stable() -> GroupBench {
        var bench = GroupBench()
        _ = bench.join(instance: "a")
        _ = bench.join(instance: "b")
        _ = bench.join("m1", instance: "a")
        bench.syncAll()
        return bench
    }

    @Test func aStaticMemberThatComesBackKeepsItsAssignmentUnnoticed() {
        var bench = Self.stable()
        let generation = bench.group.generation
        let token = bench.join(instance: "b")
        #expect(bench.joins[token]?.memberID == "m3")
        #expect(bench.joins[token]?.generation == generation)
        #expect(bench.group.stateName == "Stable")
        let sync = bench.sync("m3", instance: "b")
        #expect(bench.syncs[sync]?.assignment == ByteBuffer(string: "m2"))
        #expect(bench.heartbeat("m1", instance: "a") == ErrorCode.none)
    }

    @Test func theFormerOneIsFenced() {
        var bench = Self.stable()
        _ = bench.join(instance: "b")
        #expect(bench.heartbeat("m2", instance: "b") == .fencedInstanceID)
        let sync = bench.sync("m2", instance: "b")
        #expect(bench.syncs[sync]?.error == .fencedInstanceID)
        let token = bench.join("m2", instance: "b")
        #expect(bench.joins[token]?.error == .fencedInstanceID)
    }

    @Test func aReturningLeaderIsToldThatItFollows() {
        var bench = Self.stable()
        let token = bench.join(instance: "a")
        #expect(bench.joins[token]?.members == [])
        #expect(bench.joins[token]?.leaderID != bench.joins[token]?.memberID)
    }

    @Test func aStaticMemberKeepsItsPlaceThroughARebalanceUntilItsSessionEnds() {
        var bench = Self.stable()
        let third = bench.join(instance: "c", session: .seconds(300), rebalance: .seconds(5))
        _ = bench.join("m1", instance: "a", session: .seconds(300), rebalance: .seconds(5))
        #expect(bench.joins[third] == nil)
        #expect(bench.heartbeat("m2", instance: "b") == .rebalanceInProgress)
        bench.wait(.seconds(9))
        #expect(bench.group.members.keys.contains("m2"))
        bench.wait(.seconds(300))
        #expect(!bench.group.members.keys.contains("m2"))
    }

    @Test func anAdministratorRemovesItByItsInstanceID() {
        var bench = Self.stable()
        #expect(bench.leave("", instance: "b") == ErrorCode.none)
        #expect(bench.group.members.keys == ["m1"])
        #expect(bench.leave("", instance: "b") == .unknownMemberID)
    }
}
