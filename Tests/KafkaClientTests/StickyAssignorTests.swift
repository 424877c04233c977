import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import KafkaClient

@Suite struct StickyAssignorTests {
    private func member(
        _ id: String, _ topics: [String], owned: [TopicPartition] = [], generation: Int32 = 1
    ) throws -> AssignableMember {
        AssignableMember(
            id: id, topics: Set(try topics.map { try TopicName($0) }), owned: owned, generation: generation)
    }

    private func partitions(_ counts: [String: Int32]) throws -> [TopicName: [PartitionIndex]] {
        var partitions: [TopicName: [PartitionIndex]] = [:]
        for (name, count) in counts { partitions[try TopicName(name)] = (0..<count).map { PartitionIndex($0) } }
        return partitions
    }

    private func some(_ topic: String, _ indexes: [Int32]) throws -> [TopicPartition] {
        try indexes.map { try partition(topic, $0) }
    }

    private func assign(_ members: [AssignableMember], _ counts: [String: Int32]) throws -> Assignments {
        PartitionAssignor.cooperativeSticky.assign(members, try partitions(counts))
    }

    @Test func newMemberGetsItsShareInTwoRounds() throws {
        let first = try assign(
            [member("a", ["t"], owned: some("t", [0, 1, 2, 3])), member("b", ["t"])], ["t": 4])
        // What is to go to b is with nobody until a has given it up.
        #expect(first == ["a": try some("t", [0, 1]), "b": []])
        let second = try assign(
            [member("a", ["t"], owned: first["a"] ?? [], generation: 2), member("b", ["t"], generation: 2)],
            ["t": 4])
        #expect(second == ["a": try some("t", [0, 1]), "b": try some("t", [2, 3])])
    }

    @Test func whatAMemberLeavesIsSharedOutAtOnceAndNothingElseMoves() throws {
        let result = try assign(
            [member("a", ["t"], owned: some("t", [0, 5])), member("b", ["t"], owned: some("t", [1, 4]))],
            ["t": 6])
        #expect(result == ["a": try some("t", [0, 2, 5]), "b": try some("t", [1, 3, 4])])
    }

    @Test func laterGenerationOwnsAPartitionThatTwoClaim() throws {
        let result = try assign(
            [
                member("a", ["t"], owned: some("t", [0, 1]), generation: 5),
                member("b", ["t"], owned: some("t", [0]), generation: 3),
            ], ["t": 2])
        #expect(result == ["a": try some("t", [0]), "b": []])
        // Of the same generation one of them must be wrong: both have to give it up.
        let tied = try assign(
            [member("a", ["t"], owned: some("t", [0])), member("b", ["t"], owned: some("t", [0]))], ["t": 1])
        #expect(tied == ["a": [], "b": []])
    }

    @Test func sharesAreEvenAlongChainsOfSubscriptions() throws {
        // c wants only u, a only t: to relieve a, b has to give u to c and take t.
        let result = try assign(
            [
                member("a", ["t"], owned: some("t", [0, 1, 2, 3])),
                member("b", ["t", "u"], owned: some("u", [0, 1])), member("c", ["u"]),
            ], ["t": 4, "u": 2])
        // Those on the move are withheld.
        #expect(result["a"]?.count == 2 && result["b"]?.count ?? 9 <= 2)
        var owned = result
        for _ in 0..<3 {
            owned = try assign(
                [
                    member("a", ["t"], owned: owned["a"] ?? []), member("b", ["t", "u"], owned: owned["b"] ?? []),
                    member("c", ["u"], owned: owned["c"] ?? []),
                ], ["t": 4, "u": 2])
        }
        #expect(owned.mapValues(\.count) == ["a": 2, "b": 2, "c": 2])
    }

    /// Members come and go at random. Never may a partition be with two members, or go to one before its owner has
    /// given it up; once the group settles everything is shared out evenly, and a round without changes moves nothing.
    @Test(arguments: UInt64(1)...20)
    func groupSettlesWithoutAPartitionOwnedTwice(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let counts: [String: Int32] = ["t": Int32.random(in: 1...40, using: &random), "u": 3, "v": 17]
        var owned: [String: [TopicPartition]] = [:]
        for step in 0..<30 {
            if step < 20 {
                if Bool.random(using: &random) {
                    owned["m\(Int.random(in: 0..<8, using: &random))", default: []] += []
                } else if owned.count > 1, let gone = owned.keys.sorted().randomElement(using: &random) {
                    owned[gone] = nil
                }
            }
            if owned.isEmpty { continue }
            let members = try owned.sorted { $0.key < $1.key }.map { id, partitions in
                try member(id, ["t", "u", "v"], owned: partitions, generation: Int32(step))
            }
            let result = try assign(members, counts)
            let all = result.values.flatMap { $0 }
            #expect(Set(all).count == all.count, "seed \(seed), step \(step)")
            for (id, partitions) in result {
                for partition in partitions where owned[id]?.contains(partition) == false {
                    let isFree = owned.values.allSatisfy { !$0.contains(partition) }
                    #expect(isFree, "seed \(seed), step \(step): \(partition) is still another's")
                }
            }
            if step == 29 { #expect(result == owned, "seed \(seed)") }
            owned = result
        }
        let sizes = owned.values.map(\.count)
        #expect(sizes.reduce(0, +) == counts.values.reduce(0) { $0 + Int($1) })
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }

    // MARK: What members tell each other

    private func member(_ bytes: ByteBuffer) -> AssignableMember {
        ConsumerProtocol.member(
            JoinGroupResponse.JoinGroupResponseMember(memberID: "m", groupInstanceID: "i", metadata: bytes))
    }

    @Test func subscriptionComesBackAsItWas() throws {
        let subscription = Subscription(
            topics: [try topic("a"), try topic("b")], owned: try some("a", [0, 2]), generation: 7)
        let bytes = try ConsumerProtocol.bytes(of: subscription, for: .cooperativeSticky)
        #expect(ConsumerProtocolSubscription.version(of: bytes) == 3)
        let read = try ConsumerProtocolSubscription(versioned: bytes)
        #expect(read.userData == ByteBuffer(integer: Int32(7)) && read.generationID == 7)
        let expected = AssignableMember(
            id: "m", instanceID: "i", topics: [try topic("a"), try topic("b")], owned: try some("a", [0, 2]),
            generation: 7)
        #expect(member(bytes) == expected)
        let eager = try ConsumerProtocol.bytes(of: subscription, for: .range)
        #expect(try ConsumerProtocolSubscription(versioned: eager).userData == nil)
    }

    @Test func generationOfAnOlderJavaMemberIsInTheAssignorsOwnData() throws {
        let message = ConsumerProtocolSubscription(
            topics: ["a"], userData: ByteBuffer(integer: Int32(4)),
            ownedPartitions: [ConsumerProtocolSubscription.TopicPartition(topic: "a", partitions: [1])])
        let read = member(try message.versionedBytes(version: 1))
        #expect(read.generation == 4)
        #expect(read.owned == (try some("a", [1])))
        #expect(member(try message.versionedBytes(version: 0)).owned.isEmpty)
        #expect(member(ByteBuffer(string: "x")).topics.isEmpty)
    }
}
