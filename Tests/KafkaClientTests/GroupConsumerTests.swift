import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// Consumers in groups, against the embedded broker.
@Suite(.serialized) struct GroupConsumerTests {
    private static let numbers = (0..<30).map(String.init)

    @Test(arguments: [CompressionCodec.none, .gzip, .snappy, .lz4, .zstd])
    func whatWasWrittenIsReadInOrder(codec: CompressionCodec) async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster, configuration: ProducerConfiguration(compression: codec))
            try await producer.write(Self.numbers, to: name)
            let reader = try Reader(cluster, .quick("g", .named([name])))
            try await eventually("all are read") { reader.records.count >= 30 }
            #expect(reader.values == Self.numbers)
            #expect(reader.records.map(\.offset.rawValue) == Array(0..<30))
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func nextMemberGoesOnWhereTheGroupCommitted() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a", "b"], to: name)
            let first = try Reader(cluster, .quick("g", .named([name])), commits: true)
            let admin = Admin(cluster: cluster)
            let end = try partition("t")
            try await eventually("the first two are committed") {
                try await admin.committedOffsets(group: "g") == [end: 2]
            }
            try await first.cancel()
            try await producer.write(["c", "d"], to: name)
            let second = try Reader(cluster, .quick("g", .named([name])), commits: true)
            try await eventually("the others are committed") {
                try await admin.committedOffsets(group: "g") == [end: 4]
            }
            #expect(second.values == ["c", "d"])
            try await second.cancel()
            await producer.close()
        }
    }

    @Test func listenerSaysWhereToStart() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: 2))
            let producer = Producer(cluster: cluster)
            try await producer.write(Self.numbers, to: name, partition: 0)
            try await producer.write(["x", "y"], to: name, partition: 1)
            let listener = RecordingListener(starts: [try partition("t", 0): 28])
            let reader = try Reader(cluster, .quick("g", .named([name])), listener: listener)
            try await eventually("all are read") { reader.records.count >= 4 }
            #expect(Set(reader.values) == ["28", "29", "x", "y"])
            #expect(reader.consumer.assignment == [try partition("t", 0), try partition("t", 1)])
            try await reader.cancel()
            #expect(listener.events == [.assigned(["t-0", "t-1"]), .revoked(["t-0", "t-1"])])
            await producer.close()
        }
    }

    @Test func latestReadsOnlyWhatComesFromNowOn() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["old"], to: name)
            var configuration = GroupConsumerConfiguration.quick("g", .named([name]))
            configuration.fetching.offsetReset = .latest
            let reader = try Reader(cluster, configuration)
            try await eventually("something new is read") {
                try await producer.write(["new"], to: name)
                return !reader.records.isEmpty
            }
            #expect(Set(reader.values) == ["new"])
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func withoutResetAMissingOffsetIsAnError() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: name)
            var configuration = GroupConsumerConfiguration.quick("g", .named([name]))
            configuration.fetching.offsetReset = .none
            let reader = try Reader(cluster, configuration)
            let missing = KafkaClientError.noOffset(try partition("t"))
            await #expect(throws: missing) { try await reader.end() }
            await producer.close()
        }
    }

    @Test func offsetOutOfRangeStartsAgainWithALogLine() async throws {
        try await TestBroker.with { broker, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a", "b"], to: name)
            let listener = RecordingListener(starts: [try partition("t"): 1000])
            let reader = try Reader(cluster, .quick("g", .named([name])), listener: listener)
            try await eventually("the log is read from its start") { reader.records.count >= 2 }
            #expect(reader.values == ["a", "b"])
            let line = "warning: offset 1000 of partition t-0 is out of range"
            #expect(broker.lines.visible.contains { $0.hasPrefix(line) })
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func twoMembersShareThePartitionsAndOneTakesOver() async throws {
        try await TestBroker.with { broker, cluster in
            let name = try topic("t")
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: 4))
            let first = try Reader(cluster, .quick("g", .named([name])), commits: true)
            try await eventually("the first has all") { first.consumer.assignment.count == 4 }
            // The second shares the cluster: its join must not queue behind the first one's.
            let second = try Reader(cluster, .quick("g", .named([name])), commits: true)
            try await eventually("both have half") {
                first.consumer.assignment.count == 2 && second.consumer.assignment.count == 2
            }
            #expect(Set(first.consumer.assignment).isDisjoint(with: second.consumer.assignment))
            let producer = Producer(cluster: cluster)
            for index in Int32(0)..<4 {
                try await producer.write(["p\(index)"], to: name, partition: PartitionIndex(index))
            }
            try await eventually("all are read") { first.records.count + second.records.count >= 4 }
            #expect(first.records.count == 2 && second.records.count == 2)
            let description = try await Admin(cluster: cluster).describeGroups(["g"])[0]
            #expect(description.state == "Stable" && description.assignor == "range")
            #expect(description.members.map(\.partitions.count) == [2, 2])
            try await first.cancel()
            try await eventually("the second has all") { second.consumer.assignment.count == 4 }
            try await second.cancel()
            #expect(try await Admin(cluster: cluster).describeGroups(["g"])[0].members.isEmpty)
            await producer.close()
        }
    }

    @Test func partitionsOfAMemberThatVanishesGoToTheOthers() async throws {
        try await TestBroker.with { broker, cluster in
            let name = try topic("t")
            try await Admin(cluster: cluster).createTopic(NewTopic(name: name, partitions: 2))
            let survivor = try Reader(cluster, .quick("g", .named([name])))
            let doomedCluster = Cluster(
                configuration: .local(port: broker.port), logger: LogLines().logger)
            let doomed = try Reader(doomedCluster, .quick("g", .named([name])))
            try await eventually("both have half") {
                survivor.consumer.assignment.count == 1 && doomed.consumer.assignment.count == 1
            }
            // As a killed process would: no word to the coordinator.
            doomedCluster.close()
            try await eventually("the survivor has all") { survivor.consumer.assignment.count == 2 }
            try await survivor.cancel()
            _ = try? await doomed.cancel()
        }
    }

    @Test func memberThatWasThrownOutJoinsAgain() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: name)
            let listener = RecordingListener()
            let reader = try Reader(cluster, .quick("g", .named([name])), listener: listener, commits: true)
            try await eventually("it reads") { reader.records.count == 1 }
            let member = try await Admin(cluster: cluster).describeGroups(["g"])[0].members[0].memberID
            let requests = GroupRequests(cluster: cluster, group: "g", lane: .shared)
            try await requests.leave(memberID: member, timeout: .seconds(1))
            try await eventually("it is back") { reader.consumer.assignmentNumber == 2 }
            try await producer.write(["b"], to: name)
            try await eventually("it reads again") { reader.records.count == 2 }
            #expect(listener.events == [.assigned(["t-0"]), .lost(["t-0"]), .assigned(["t-0"])])
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func partitionsAreNotGivenUpWhileABatchIsBeingWorkedOn() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: name)
            let isWorking = Mutex(false)
            let mayFinish = Signal()
            let listener = RecordingListener(onRevoked: { #expect(isWorking.withLock { !$0 }) })
            let first = try Reader(cluster, .quick("g", .named([name])), listener: listener) { _ in
                isWorking.withLock { $0 = true }
                try await mayFinish.wait(after: 0)
                isWorking.withLock { $0 = false }
            }
            try await eventually("the batch is being worked on") { isWorking.withLock { $0 } }
            let second = try Reader(cluster, .quick("g", .named([name])))
            try await eventually("the group rebalances") {
                try await Admin(cluster: cluster).describeGroups(["g"])[0].state == "PreparingRebalance"
            }
            #expect(listener.events == [.assigned(["t-0"])])
            mayFinish.notify()
            try await eventually("it is given up") { listener.events.count >= 2 }
            #expect(listener.events[1] == .revoked(["t-0"]))
            try await first.cancel()
            try await second.cancel()
            await producer.close()
        }
    }

    @Test func newTopicThatMatchesThePatternIsReadWithinTwoSeconds() async throws {
        try await TestBroker.with { _, cluster in
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: try topic("metrics.cpu"))
            try await producer.write(["no"], to: try topic("metrics.rejected"))
            var configuration = GroupConsumerConfiguration.quick(
                "g", .pattern(#"^metrics\..*"#, excluding: ["metrics.rejected"]))
            configuration.topicRefresh = .seconds(1)
            let reader = try Reader(cluster, configuration, commits: true)
            try await eventually("the first topic is read") { reader.values == ["a"] }
            try await producer.write(["b"], to: try topic("metrics.memory"))
            try await eventually("the second topic is read", within: .seconds(2)) { reader.values == ["a", "b"] }
            try await producer.write(["c"], to: try topic("other"))
            #expect(
                reader.consumer.assignment == [try partition("metrics.cpu"), try partition("metrics.memory")])
            try await Admin(cluster: cluster).deleteTopic(try topic("metrics.cpu"))
            try await eventually("the deleted topic is let go of") {
                reader.consumer.assignment == [try partition("metrics.memory")]
            }
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func namedTopicIsReadOnceItExists() async throws {
        try await TestBroker.with { _, cluster in
            let name = try topic("later")
            let reader = try Reader(cluster, .quick("g", .named([name])))
            try await eventually("the group is formed") { reader.consumer.assignmentNumber == 1 }
            #expect(try await Admin(cluster: cluster).listTopics().isEmpty)
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: name)
            try await eventually("it is read") { reader.values == ["a"] }
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func brokerRestartLosesAndRepeatsNothing() async throws {
        try await TestBroker.with { broker, cluster in
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            let reader = try Reader(cluster, .quick("g", .named([name])))
            let writing = Task { try await producer.write((0..<300).map(String.init), to: name) }
            for progress in [50, 150] {
                try await eventually("some are read") { reader.records.count >= progress }
                await broker.stop()
                try await broker.start()
            }
            try await writing.value
            try await eventually("all are read") { reader.records.count >= 300 }
            // Positions survive in the consumer, so it repeats nothing while it stays a member of the same
            // generation; after it had to join anew it starts at what was committed, which here is nothing.
            let byOffset = Dictionary(reader.records.map { ($0.offset.rawValue, $0.value) }) { first, _ in first }
            #expect(byOffset.sorted { $0.key < $1.key }.map(\.value) == (0..<300).map(String.init))
            #expect(broker.lines.visible.count { $0.contains("cannot reach") } <= 2)
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func closingIsQuickWhileTheClusterCannotBeReached() async throws {
        try await TestBroker.with { broker, cluster in
            let name = try topic("t")
            let listener = RecordingListener()
            let reader = try Reader(cluster, .quick("g", .named([name])), listener: listener)
            let waiting = try Reader(cluster, .quick("other", .named([name])))
            try await eventually("both are members") {
                reader.consumer.assignmentNumber == 1 && waiting.consumer.assignmentNumber == 1
            }
            await broker.stop()
            let start = ContinuousClock.now
            try await reader.cancel()
            await waiting.consumer.close()
            try await waiting.end()
            #expect(.now - start < .seconds(2))
            #expect(listener.events.last == .revoked([]))
        }
        // And one that never got through.
        let cluster = Cluster(configuration: .local(port: try freePort()), logger: LogLines().logger)
        let reader = try Reader(cluster, .quick("g", .pattern(".*")))
        try await Task.sleep(for: .milliseconds(50))
        let start = ContinuousClock.now
        try await reader.cancel()
        #expect(.now - start < .seconds(1))
        cluster.close()
    }

    @Test func listenerThatFailsEndsTheConsumerWithItsError() async throws {
        struct Broken: Error {}
        struct Failing: RebalanceListener {
            func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] { throw Broken() }
            func revoked(_ partitions: [TopicPartition]) async { Issue.record("nothing was assigned") }
        }
        try await TestBroker.with { _, cluster in
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])), listener: Failing())
            await #expect(throws: Broken.self) { try await reader.end() }
            #expect(try await Admin(cluster: cluster).describeGroups(["g"])[0].members.isEmpty)
        }
    }

    @Test func committingAsAStrangerIsRefused() async throws {
        try await TestBroker.with { _, cluster in
            let consumer = try GroupConsumer(
                cluster: cluster, configuration: .quick("g", .named([try topic("t")])))
            let offsets = [try partition("t"): Offset(1)]
            await #expect(throws: KafkaClientError.notAMember(group: "g")) { try await consumer.commit(offsets) }
            await consumer.close()
            for try await _ in consumer { Issue.record("closed") }
        }
    }
}
