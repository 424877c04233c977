import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// Groups whose members keep what stays theirs in a rebalance, against the embedded broker.
@Suite(.serialized) struct CooperativeGroupTests {
    private func configuration(_ topics: TopicSelection) -> GroupConsumerConfiguration {
        .quick("g", topics, assignors: [.cooperativeSticky])
    }

    private func withTopic(
        partitions: Int = 4, _ body: (TestBroker, Cluster, TopicName, Producer) async throws -> Void
    ) async throws {
        try await TestBroker.with { broker, cluster in
            let name = try topic("t")
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: partitions))
            let producer = Producer(cluster: cluster)
            try await body(broker, cluster, name, producer)
            await producer.close()
        }
    }

    @Test func partitionsThatStayAreReadOnAndThoseThatGoAreCommittedFirst() async throws {
        try await withTopic { _, cluster, name, producer in
            let admin = Admin(cluster: cluster)
            let committing = Committing()
            let first = try Reader(cluster, configuration(.named([name])), listener: committing) { batch in
                committing.note(batch)
            }
            committing.consumer.withLock { $0 = first.consumer }
            try await eventually("the first has all") { first.consumer.assignment.count == 4 }
            for index in Int32(0)..<4 {
                try await producer.write(["a\(index)"], to: name, partition: PartitionIndex(index))
            }
            try await eventually("all are read") { first.records.count == 4 }
            let second = try Reader(cluster, configuration(.named([name])))
            try await eventually("both have half") {
                first.consumer.assignment.count == 2 && second.consumer.assignment.count == 2
            }
            #expect(Set(first.consumer.assignment).isDisjoint(with: second.consumer.assignment))
            // Nothing was taken from the first but what the second has, and that was committed before it went.
            #expect(committing.revoked == second.consumer.assignment)
            let committed = try await admin.committedOffsets(group: "g", of: second.consumer.assignment)
            #expect(committed.values.allSatisfy { $0 == 1 } && committed.count == 2)
            for index in Int32(0)..<4 {
                try await producer.write(["b\(index)"], to: name, partition: PartitionIndex(index))
            }
            try await eventually("the rest is read") { first.records.count + second.records.count == 8 }
            #expect(Set(first.values + second.values).count == 8)
            try await second.cancel()
            try await eventually("the first has all again") { first.consumer.assignment.count == 4 }
            try await first.cancel()
        }
    }

    /// Commits what it has seen of the partitions that go.
    private final class Committing: RebalanceListener {
        let consumer = Mutex<GroupConsumer?>(nil)
        private let seen = Mutex<[TopicPartition: Offset]>([:])
        private let gone = Mutex<[TopicPartition]>([])

        var revoked: [TopicPartition] { gone.withLock { $0.sorted() } }

        func note(_ batch: ConsumedBatch) {
            seen.withLock { $0[batch.topicPartition] = batch.nextOffset }
        }

        func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] { [:] }

        func revoked(_ partitions: [TopicPartition]) async {
            let offsets = seen.withLock { seen in seen.filter { partitions.contains($0.key) } }
            do {
                try await consumer.withLock({ $0 })?.commit(offsets)
                if gone.withLock({ $0.isEmpty }) { gone.withLock { $0 = partitions } }
            } catch {
                Issue.record("not committed: \(error)")
            }
        }
    }

    @Test func commitsOfWhatStaysOutlastARebalance() async throws {
        try await withTopic { _, cluster, name, producer in
            let first = try Reader(cluster, configuration(.named([name])))
            try await eventually("the first has all") { first.consumer.assignment.count == 4 }
            // Commits all the while members come and go; partition 0, the smallest, stays with the first.
            let kept = TopicPartition(topic: name, partition: 0)
            let committing = Task {
                while !Task.isCancelled { try await first.consumer.commit([kept: 0]) }
            }
            for _ in 0..<2 {
                let second = try Reader(cluster, configuration(.named([name])))
                try await eventually("both have half") {
                    first.consumer.assignment.count == 2 && second.consumer.assignment.count == 2
                }
                try await second.cancel()
                try await eventually("the first has all") { first.consumer.assignment.count == 4 }
            }
            #expect(first.consumer.assignment.contains(kept))
            committing.cancel()
            await #expect(throws: CancellationError.self) {
                try await committing.value
                throw CancellationError()
            }
            try await first.cancel()
        }
    }

    @Test func groupGoesOverToCooperationMemberByMember() async throws {
        try await withTopic { _, cluster, name, _ in
            let admin = Admin(cluster: cluster)
            let eager = GroupConsumerConfiguration.quick("g", .named([name]), assignors: [.range])
            let both = GroupConsumerConfiguration.quick("g", .named([name]))
            let first = try Reader(cluster, eager)
            let second = try Reader(cluster, both)
            try await eventually("they share by range") {
                first.consumer.assignment.count == 2 && second.consumer.assignment.count == 2
            }
            try await first.cancel()
            let third = try Reader(cluster, configuration(.named([name])))
            try await eventually("they share by the other") {
                let group = try await admin.describeGroups(["g"])[0]
                return group.assignor == "cooperative-sticky" && second.consumer.assignment.count == 2
                    && third.consumer.assignment.count == 2
            }
            try await second.cancel()
            try await third.cancel()
        }
    }

    @Test func otherTopicsAreReadWithoutABreakInThoseThatStay() async throws {
        try await withTopic(partitions: 1) { _, cluster, name, producer in
            let other = try topic("other")
            try await Admin(cluster: cluster).createTopic(NewTopic(name: other, partitions: 1))
            let listener = RecordingListener()
            let reader = try Reader(cluster, configuration(.named([name])), listener: listener)
            try await eventually("it reads one") { reader.consumer.assignment.count == 1 }
            try reader.consumer.subscribe(to: .anyOf([.named([name]), .pattern("oth.*")]))
            try await eventually("it reads both") { reader.consumer.assignment.count == 2 }
            try await producer.write(["x"], to: other)
            try await eventually("a record comes") { reader.values == ["x"] }
            try reader.consumer.subscribe(to: .named([other]))
            try await eventually("it reads the other only") {
                reader.consumer.assignment.map(\.topic) == [other]
            }
            #expect(listener.events == [.assigned(["t-0"]), .assigned(["other-0"]), .revoked(["t-0"]), .assigned([])])
            #expect(throws: KafkaClientError.self) { try reader.consumer.subscribe(to: .pattern("(")) }
            try await reader.cancel()
        }
    }

    @Test func staticMemberThatComesBackGetsItsPartitionsAndNobodyNotices() async throws {
        try await withTopic { _, cluster, name, producer in
            func configuration(_ instance: String) -> GroupConsumerConfiguration {
                var configuration = self.configuration(.named([name]))
                configuration.instanceID = instance
                configuration.sessionTimeout = .seconds(6)
                return configuration
            }
            let stays = try Reader(cluster, configuration("one"), commits: true)
            let leaves = try Reader(cluster, configuration("two"), commits: true)
            try await eventually("both have half") {
                stays.consumer.assignment.count == 2 && leaves.consumer.assignment.count == 2
            }
            let number = stays.consumer.assignmentNumber
            let had = leaves.consumer.assignment
            try await leaves.cancel()
            let back = try Reader(cluster, configuration("two"), commits: true)
            try await eventually("it is back") { back.consumer.assignment == had }
            #expect(stays.consumer.assignmentNumber == number)
            for index in Int32(0)..<4 {
                try await producer.write(["\(index)"], to: name, partition: PartitionIndex(index))
            }
            try await eventually("all are read") { stays.records.count + back.records.count == 4 }
            #expect(back.consumer.groupMetadata.instanceID == "two" && back.consumer.groupMetadata.generation > 0)
            // A second one of the same name takes over, and the first is told why.
            let usurper = try Reader(cluster, configuration("two"))
            await #expect {
                try await back.end()
            } throws: { error in
                (error as? KafkaClientError)?.code == .fencedInstanceID
            }
            try await eventually("it has the partitions") { usurper.consumer.assignment == had }
            try await usurper.cancel()
            try await stays.cancel()
        }
    }

    @Test func staticMemberThatLeavesIsNotWaitedFor() async throws {
        try await withTopic { _, cluster, name, _ in
            func configuration(_ instance: String) -> GroupConsumerConfiguration {
                var configuration = self.configuration(.named([name]))
                configuration.instanceID = instance
                configuration.leavesWhenStatic = true
                // Longer than the test waits.
                configuration.sessionTimeout = .seconds(1200)
                return configuration
            }
            let stays = try Reader(cluster, configuration("one"))
            let leaves = try Reader(cluster, configuration("two"))
            try await eventually("both have half") {
                stays.consumer.assignment.count == 2 && leaves.consumer.assignment.count == 2
            }
            try await leaves.cancel()
            try await eventually("the other has all") { stays.consumer.assignment.count == 4 }
            // One that another of its name has replaced does not take that one out of the group.
            let replaced = try Reader(cluster, configuration("two"))
            try await eventually("it has half") { replaced.consumer.assignment.count == 2 }
            let usurper = try Reader(cluster, configuration("two"))
            await #expect {
                try await replaced.end()
            } throws: { error in
                (error as? KafkaClientError)?.code == .fencedInstanceID
            }
            try await eventually("both have half") {
                stays.consumer.assignment.count == 2 && usurper.consumer.assignment.count == 2
            }
            #expect(try await Admin(cluster: cluster).describeGroups(["g"]).first?.members.count == 2)
            try await usurper.cancel()
            try await stays.cancel()
        }
    }

    @Test func newPartitionsAreReadThoughTheLeaderCameBackUnnoticed() async throws {
        try await withTopic { _, cluster, name, _ in
            var configuration = self.configuration(.pattern("t"))
            configuration.instanceID = "one"
            configuration.sessionTimeout = .seconds(1200)
            let first = try Reader(cluster, configuration)
            try await eventually("it has all") { first.consumer.assignment.count == 4 }
            let generation = first.consumer.groupMetadata.generation
            try await first.cancel()
            let back = try Reader(cluster, configuration)
            try await eventually("it has all again") { back.consumer.assignment.count == 4 }
            #expect(back.consumer.groupMetadata.generation == generation, "nobody leads the generation any more")
            try await Admin(cluster: cluster).createPartitions(of: name, count: 6)
            try await eventually("it has the new ones too") { back.consumer.assignment.count == 6 }
            try await back.cancel()
        }
    }

    @Test func pausedPartitionWaitsAndMissesNothing() async throws {
        try await withTopic(partitions: 2) { _, cluster, name, producer in
            let quiet = TopicPartition(topic: name, partition: 0)
            let reader = try Reader(cluster, configuration(.named([name])))
            try await eventually("it has both") { reader.consumer.assignment.count == 2 }
            reader.consumer.pause([quiet])
            #expect(reader.consumer.paused == [quiet])
            try await producer.write(["q1", "q2"], to: name, partition: 0)
            try await producer.write(["b1", "b2"], to: name, partition: 1)
            try await eventually("the other is read") { reader.records.count == 2 }
            try await producer.write(["b3"], to: name, partition: 1)
            try await eventually("and goes on") { reader.values == ["b1", "b2", "b3"] }
            reader.consumer.resume([quiet])
            try await eventually("it goes on") { reader.records.count == 5 }
            #expect(reader.values.suffix(2) == ["q1", "q2"])
            try reader.consumer.seek(quiet, to: 1)
            try await eventually("it is read again from there") { reader.records.count == 6 }
            #expect(reader.values.last == "q2")
            #expect(throws: KafkaClientError.notAssigned(try partition("x"))) {
                try reader.consumer.seek(try partition("x"), to: 0)
            }
            try await reader.cancel()
        }
    }

    @Test func offsetsThatRetentionTookAreSkippedWithALogLine() async throws {
        try await withTopic(partitions: 1) { broker, cluster, name, producer in
            let target = TopicPartition(topic: name, partition: 0)
            try await producer.write((0..<10).map(String.init), to: name)
            let listener = RecordingListener(starts: [target: 2])
            _ = try await cluster.send(
                DeleteRecordsRequest(
                    topics: [
                        DeleteRecordsRequest.DeleteRecordsTopic(
                            name: name.rawValue,
                            partitions: [DeleteRecordsRequest.DeleteRecordsPartition(partitionIndex: 0, offset: 7)])
                    ], timeoutMs: 1000), to: .leader(target))
            let reader = try Reader(cluster, configuration(.named([name])), listener: listener)
            try await eventually("the rest is read") { reader.records.count == 3 }
            #expect(reader.values == ["7", "8", "9"])
            #expect(broker.lines.visible.contains { $0.contains("offset 2 of partition t-0 is out of range") })
            try await reader.cancel()
        }
    }
}
