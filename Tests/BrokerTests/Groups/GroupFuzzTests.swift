import KafkaProtocol
import NIOCore
import OrderedCollections
import TestKit
import Testing

@testable import Broker

/// Members that join, sync, beat, leave and fall silent in any order: whatever happens, each request gets one answer
/// in the end, and a group that is left alone becomes stable or empty.
@Suite struct GroupFuzzTests {
    @Test func everyRequestIsAnsweredWhateverHappens() {
        var generator = SeededGenerator()
        for _ in 0..<60 {
            var bench = GroupBench()
            var joins: [GroupReplyToken] = []
            var syncs: [GroupReplyToken] = []
            for _ in 0..<200 {
                let ids = Array(bench.group.members.keys) + ["stranger"]
                let id = ids.randomElement(using: &generator) ?? ""
                switch Int.random(in: 0..<9, using: &generator) {
                case 0: joins.append(bench.join(mustKnowItsID: Bool.random(using: &generator)))
                case 1: joins.append(bench.join(id))
                case 2: joins.append(bench.join(bench.group.pendingMemberIDs.keys.sorted().first ?? ""))
                case 3: joins.append(bench.join(instance: ["a", "b"].randomElement(using: &generator)))
                case 4: syncs.append(bench.sync(id, assigning: [id: "x"]))
                case 5: syncs.append(bench.sync(bench.group.leaderID ?? "", assigning: [:]))
                case 6: #expect(bench.heartbeat(id) != nil)
                case 7: #expect(bench.leave(id) != nil)
                default: bench.wait(.seconds(Int64.random(in: 0...9, using: &generator)))
                }
                self.check(bench.group)
            }
            bench.wait(.hours(1))
            #expect(bench.group.phase == .empty)
            #expect(bench.group.members.isEmpty)
            #expect(joins.allSatisfy { bench.joins[$0] != nil })
            #expect(syncs.allSatisfy { bench.syncs[$0] != nil })
        }
    }

    private func check(_ group: ConsumerGroup) {
        switch group.phase {
        case .empty:
            #expect(group.members.isEmpty)
        case .stable:
            #expect(group.members.values.allSatisfy { !$0.isWaiting })
            #expect(group.leaderID.map { group.members[$0] != nil } == true)
        case .completingRebalance:
            #expect(group.members.values.allSatisfy { $0.pendingJoin == nil })
            #expect(group.leaderID.map { group.members[$0] != nil } == true)
        case .preparingRebalance:
            #expect(group.members.values.allSatisfy { $0.pendingSync == nil })
        }
        for (instance, member) in group.staticMemberIDs { #expect(group.members[member]?.instanceID == instance) }
    }
}
