import KafkaProtocol
import NIOCore
import OrderedCollections
import TestKit
import Testing

@testable import Broker

@Suite struct ConsumerGroupTests {
    @Test func theFirstMemberLeadsAtOnce() throws {
        var bench = GroupBench()
        let token = bench.join()
        let answer = try #require(bench.joins[token])
        #expect(answer.error == .none)
        #expect(answer.generation == 1)
        #expect(answer.leaderID == "m1")
        #expect(answer.members.map(\.id) == ["m1"])
        #expect(bench.group.stateName == "CompletingRebalance")
        let sync = bench.sync("m1", assigning: ["m1": "everything"])
        #expect(bench.syncs[sync]?.assignment == ByteBuffer(string: "everything"))
        #expect(bench.group.stateName == "Stable")
        #expect(bench.stores == 1)
    }

    @Test func aSecondMemberMakesTheFirstRejoin() throws {
        var bench = GroupBench.stable(1)
        let second = bench.join()
        #expect(bench.joins[second] == nil)
        #expect(bench.heartbeat("m1") == .rebalanceInProgress)
        let first = bench.join("m1")
        #expect(bench.joins[first]?.generation == 2)
        #expect(bench.joins[first]?.members.map(\.id) == ["m1", "m2"])
        #expect(bench.joins[second]?.generation == 2)
        #expect(bench.joins[second]?.members == [])
        #expect(bench.joins[second]?.leaderID == "m1")
    }

    @Test func followersGetTheirAssignmentWhenTheLeaderHasSentIt() {
        var bench = GroupBench.stable(1)
        _ = bench.join()
        _ = bench.join("m1")
        let follower = bench.sync("m2")
        #expect(bench.syncs[follower] == nil)
        let leader = bench.sync("m1", assigning: ["m1": "one", "m2": "two"])
        #expect(bench.syncs[leader]?.assignment == ByteBuffer(string: "one"))
        #expect(bench.syncs[follower]?.assignment == ByteBuffer(string: "two"))
        let late = bench.sync("m2")
        #expect(bench.syncs[late]?.assignment == ByteBuffer(string: "two"))
    }

    @Test func aMemberThatFallsSilentIsReplaced() {
        var bench = GroupBench.stable(3, session: .seconds(10))
        let generation = bench.group.generation
        bench.wait(.seconds(6))
        #expect(bench.heartbeat("m1") == ErrorCode.none)
        #expect(bench.heartbeat("m2") == ErrorCode.none)
        bench.wait(.seconds(6))
        #expect(bench.group.members.keys == ["m1", "m2"])
        #expect(bench.heartbeat("m1") == .rebalanceInProgress)
        let first = bench.join("m1")
        _ = bench.join("m2")
        #expect(bench.joins[first]?.generation == generation + 1)
        #expect(bench.joins[first]?.members.map(\.id) == ["m1", "m2"])
        #expect(bench.heartbeat("m3") == .unknownMemberID)
    }

    @Test func aRebalanceDoesNotWaitForeverForThoseThatDoNotRejoin() {
        var bench = GroupBench.stable(2, session: .seconds(300), rebalance: .seconds(60))
        let third = bench.join(session: .seconds(300), rebalance: .seconds(60))
        _ = bench.join("m1", session: .seconds(300), rebalance: .seconds(60))
        bench.wait(.seconds(59))
        #expect(bench.joins[third] == nil)
        bench.wait(.seconds(2))
        #expect(bench.joins[third]?.error == ErrorCode.none)
        #expect(bench.group.members.keys == ["m1", "m3"])
    }

    @Test func aLeaderThatDoesNotAssignIsReplaced() {
        var bench = GroupBench()
        _ = bench.join(session: .seconds(10), rebalance: .seconds(30))
        _ = bench.join(session: .seconds(300), rebalance: .seconds(30))
        _ = bench.join("m1", session: .seconds(10), rebalance: .seconds(30))
        #expect(bench.group.leaderID == "m1")
        let follower = bench.sync("m2")
        bench.wait(.seconds(11))
        #expect(bench.syncs[follower]?.error == .rebalanceInProgress)
        let again = bench.join("m2", session: .seconds(300), rebalance: .seconds(30))
        #expect(bench.joins[again]?.leaderID == "m2")
    }

    @Test func leavingRebalancesAtOnce() {
        var bench = GroupBench.stable(2)
        #expect(bench.leave("m1") == ErrorCode.none)
        #expect(bench.heartbeat("m2") == .rebalanceInProgress)
        let token = bench.join("m2")
        #expect(bench.joins[token]?.leaderID == "m2")
        #expect(bench.leave("m1") == .unknownMemberID)
        #expect(bench.leave("m2") == ErrorCode.none)
        #expect(bench.group.stateName == "Empty")
        #expect(bench.group.nextDeadline == nil)
    }

    @Test func oldGenerationsAreFenced() {
        var bench = GroupBench.stable(1)
        let generation = bench.group.generation
        #expect(bench.heartbeat("m1", generation: generation - 1) == .illegalGeneration)
        #expect(bench.heartbeat("m1", generation: generation + 1) == .illegalGeneration)
        let sync = bench.sync("m1", generation: generation - 1)
        #expect(bench.syncs[sync]?.error == .illegalGeneration)
        let caller = GroupCaller(memberID: "m1", instanceID: nil, generation: generation - 1)
        #expect(bench.group.checkCommit(by: caller, now: bench.now) == .illegalGeneration)
    }

    @Test func commitsAreTakenFromMembersAndFromOutsidersWhileTheGroupIsEmpty() {
        let outsider = GroupCaller(memberID: "", instanceID: nil, generation: -1)
        var empty = GroupBench()
        #expect(empty.group.checkCommit(by: outsider, now: empty.now) == .none)
        var bench = GroupBench.stable(1)
        #expect(bench.group.checkCommit(by: outsider, now: bench.now) == .unknownMemberID)
        let member = GroupCaller(memberID: "m1", instanceID: nil, generation: bench.group.generation)
        #expect(bench.group.checkCommit(by: member, now: bench.now) == .none)
        _ = bench.join()
        #expect(bench.group.checkCommit(by: member, now: bench.now) == .none)
        _ = bench.join("m1")
        let rejoined = GroupCaller(memberID: "m1", instanceID: nil, generation: bench.group.generation)
        #expect(bench.group.checkCommit(by: rejoined, now: bench.now) == .rebalanceInProgress)
    }

    @Test func aMemberIsToldItsIDBeforeItCounts() throws {
        var bench = GroupBench()
        let first = bench.join(mustKnowItsID: true)
        #expect(bench.joins[first]?.error == .memberIDRequired)
        let id = try #require(bench.joins[first]?.memberID)
        #expect(bench.group.members.isEmpty)
        let second = bench.join(id, mustKnowItsID: true)
        #expect(bench.joins[second]?.memberID == id)
        #expect(bench.joins[second]?.error == ErrorCode.none)
    }

    @Test func anIDThatNobodyComesBackForIsForgotten() {
        var bench = GroupBench()
        let token = bench.join(mustKnowItsID: true, session: .seconds(10))
        bench.wait(.seconds(11))
        #expect(bench.group.isDeserted)
        let late = bench.join(bench.joins[token]?.memberID ?? "", mustKnowItsID: true)
        #expect(bench.joins[late]?.error == .unknownMemberID)
    }

    @Test func theProtocolThatMostWantAndAllKnowIsChosen() {
        var bench = GroupBench()
        _ = bench.join(protocols: ["sticky", "range", "roundrobin"])
        _ = bench.join(protocols: ["roundrobin", "range"])
        _ = bench.join(protocols: ["range", "roundrobin"])
        let first = bench.join("m1", protocols: ["sticky", "range", "roundrobin"])
        #expect(bench.joins[first]?.protocolName == "range")
        let stranger = bench.join(protocols: ["other"])
        #expect(bench.joins[stranger]?.error == .inconsistentGroupProtocol)
        let connector = bench.join(type: "connect")
        #expect(bench.joins[connector]?.error == .inconsistentGroupProtocol)
    }

    @Test func impossibleSessionTimeoutsAndFullGroupsAreRefused() {
        var bench = GroupBench(maximumMembers: 1)
        let hasty = bench.join(session: .milliseconds(1))
        #expect(bench.joins[hasty]?.error == .invalidSessionTimeout)
        _ = bench.join()
        let second = bench.join()
        #expect(bench.joins[second]?.error == .groupMaxSizeReached)
    }

    @Test func theInitialDelayGathersMembersIntoOneRebalance() {
        var bench = GroupBench(initialDelay: .seconds(3))
        let first = bench.join()
        bench.wait(.seconds(2))
        let second = bench.join()
        bench.wait(.seconds(2))
        #expect(bench.joins[first] == nil)
        bench.wait(.seconds(2))
        #expect(bench.joins[first]?.generation == 1)
        #expect(bench.joins[second]?.generation == 1)
    }

    @Test func aFollowerThatAsksAgainWithTheSameMetadataDisturbsNobody() {
        var bench = GroupBench.stable(2)
        let generation = bench.group.generation
        let token = bench.join("m2")
        #expect(bench.joins[token]?.generation == generation)
        #expect(bench.group.stateName == "Stable")
        _ = bench.join("m2", metadata: "other topics")
        #expect(bench.group.stateName == "PreparingRebalance")
    }
}
