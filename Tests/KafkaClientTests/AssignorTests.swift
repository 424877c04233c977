import KafkaProtocol
import Testing

@testable import KafkaClient

@Suite struct AssignorTests {
    private func members(_ topics: [String: [String]]) throws -> [AssignableMember] {
        try topics.map { AssignableMember(id: $0.key, topics: Set(try $0.value.map { try TopicName($0) })) }
    }

    private func partitions(_ counts: [String: Int32]) throws -> [TopicName: [PartitionIndex]] {
        var partitions: [TopicName: [PartitionIndex]] = [:]
        for (name, count) in counts { partitions[try TopicName(name)] = (0..<count).map { PartitionIndex($0) } }
        return partitions
    }

    private func text(_ assignments: Assignments) -> [String: String] {
        assignments.mapValues { $0.map(\.description).joined(separator: " ") }
    }

    // The examples of Kafka's own documentation of its RangeAssignor and RoundRobinAssignor.

    @Test func rangeGivesNeighboursAndTheFirstMembersTheRest() throws {
        let result = PartitionAssignor.range.assign(
            try members(["C0": ["t0", "t1"], "C1": ["t0", "t1"]]), try partitions(["t0": 3, "t1": 3]))
        #expect(text(result) == ["C0": "t0-0 t0-1 t1-0 t1-1", "C1": "t0-2 t1-2"])
    }

    @Test func roundRobinDealsOutOneByOne() throws {
        let result = PartitionAssignor.roundRobin.assign(
            try members(["C0": ["t0", "t1"], "C1": ["t0", "t1"]]), try partitions(["t0": 3, "t1": 3]))
        #expect(text(result) == ["C0": "t0-0 t0-2 t1-1", "C1": "t0-1 t1-0 t1-2"])
    }

    @Test func roundRobinSkipsMembersThatDoNotWantATopic() throws {
        let result = PartitionAssignor.roundRobin.assign(
            try members(["C0": ["t0"], "C1": ["t0", "t1"], "C2": ["t0", "t1", "t2"]]),
            try partitions(["t0": 1, "t1": 2, "t2": 3]))
        #expect(text(result) == ["C0": "t0-0", "C1": "t1-0", "C2": "t1-1 t2-0 t2-1 t2-2"])
    }

    @Test func staticMembersKeepTheirPlaceWhateverTheirMemberIDs() throws {
        let names: Set = [try TopicName("t")]
        let members = [
            AssignableMember(id: "a", topics: names), AssignableMember(id: "z", instanceID: "1", topics: names),
            AssignableMember(id: "b", instanceID: "2", topics: names),
        ]
        let result = PartitionAssignor.range.assign(members, try partitions(["t": 3]))
        #expect(text(result) == ["z": "t-0", "b": "t-1", "a": "t-2"])
    }

    @Test(arguments: ["range", "roundrobin", "cooperative-sticky"])
    func everyMemberIsNamedAndEveryPartitionGivenOnce(name: String) throws {
        let assignor = try #require(PartitionAssignor.all.first { $0.name == name })
        let result = assignor.assign(
            try members(["a": ["x"], "b": ["x", "y"], "c": ["y"], "idle": ["z"]]),
            try partitions(["x": 5, "y": 1, "z": 0, "unwanted": 2]))
        #expect(Set(result.keys) == ["a", "b", "c", "idle"])
        #expect(result.values.flatMap { $0 }.map(\.description).sorted() == ["x-0", "x-1", "x-2", "x-3", "x-4", "y-0"])
    }
}
