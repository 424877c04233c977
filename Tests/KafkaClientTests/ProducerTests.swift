import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// The producer against a broker that fails where it is told to.
@Suite struct ProducerTests {
    private func withProducer(
        _ fake: FakeCluster, _ configuration: ProducerConfiguration = ProducerConfiguration(),
        requestTimeout: Duration = .seconds(5), lines: LogLines = LogLines(),
        _ body: (Producer) async throws -> Void
    ) async throws {
        let cluster = Cluster(
            configuration: .local(port: fake.port, requestTimeout: requestTimeout), logger: lines.logger)
        let producer = Producer(cluster: cluster, configuration: configuration)
        do {
            try await body(producer)
        } catch {
            await producer.close(within: .zero)
            cluster.close()
            await fake.stop()
            throw error
        }
        await producer.close()
        cluster.close()
        await fake.stop()
    }

    private func message(_ value: String, key: String? = nil, partition: PartitionIndex? = nil) throws
        -> ProducerMessage
    {
        ProducerMessage(
            topic: try topic("t"), partition: partition, key: key.map { bytes($0) }, value: bytes(value), timestamp: 1)
    }

    private static let numbers = (0..<40).map(String.init)

    @Test(arguments: [
        [FakeCluster.Fault.loseAnswer], [.loseRequest], [.loseAnswer, .loseRequest, .loseAnswer],
        [.refuse(.notLeaderOrFollower)], [.refuse(.requestTimedOut), .loseAnswer], [.refuse(.notEnoughReplicas)],
    ])
    func retriesNeitherLoseNorRepeatNorReorder(faults: [FakeCluster.Fault]) async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1], faults: faults)
        try await withProducer(fake) { producer in
            for value in Self.numbers {
                _ = try await producer.send(try message(value))
            }
            #expect(try fake.values("t") == Self.numbers)
        }
    }

    @Test func everythingThatWaitsIsWrittenInTheOrderItCameIn() async throws {
        let faults: [FakeCluster.Fault] = [.loseRequest, .loseAnswer, .refuse(.leaderNotAvailable), .loseAnswer]
        let fake = try await FakeCluster.start(topics: ["t": 1], faults: faults)
        let cluster = Cluster(configuration: .local(port: fake.port), logger: LogLines().logger)
        let sender = PartitionSender(
            partition: try partition("t"), cluster: cluster, configuration: ProducerConfiguration(),
            identities: ProducerIdentities(cluster: cluster), budget: ByteBudget(limit: 1 << 20))
        let running = Task { await sender.run() }
        var deliveries: [OneShot<Offset>] = []
        for (index, value) in Self.numbers.enumerated() {
            let delivered = OneShot<Offset>()
            if index % 3 == 0 {
                sender.append(try batch([value]), delivered: delivered)
            } else {
                sender.append(try message(value), timestamp: 1, bytes: 10, delivered: delivered)
            }
            deliveries.append(delivered)
        }
        for (index, delivered) in deliveries.enumerated() {
            let offset = try await delivered.value()
            #expect(offset == Offset(Int64(index)))
        }
        #expect(try fake.values("t") == Self.numbers)
        running.cancel()
        await running.value
        cluster.close()
        await fake.stop()
    }

    @Test func offsetsAreThoseOfTheRecords() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake, ProducerConfiguration(linger: .seconds(1), compression: .lz4)) { producer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for value in Self.numbers {
                    group.addTask {
                        let (partition, offset) = try await producer.send(try message(value))
                        #expect(partition == 0)
                        #expect(try fake.values("t")[Int(offset.rawValue)] == value)
                    }
                }
                try await group.waitForAll()
            }
            #expect(fake.broker?.count(.produce) == 1)
            #expect(try await producer.send(try batch(["x", "y"]), to: try partition("t")) == 40)
        }
    }

    @Test(arguments: [FakeCluster.Fault.refuse(.outOfOrderSequenceNumber), .forgetProducers])
    func lostSequenceIsBegunAnew(fault: FakeCluster.Fault) async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        let lines = LogLines()
        try await withProducer(fake, lines: lines) { producer in
            _ = try await producer.send(try message("a"))
            fake.state.withLock { $0.faults = [fault] }
            for value in ["b", "c", "d"] { _ = try await producer.send(try message(value)) }
            #expect(try fake.values("t") == ["a", "b", "c", "d"])
            #expect(fake.broker?.count(.initProducerId) == 2)
            #expect(lines.visible.count == 1)
        }
    }

    @Test func abandonedBatchDoesNotLendItsNumberToTheNext() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake, requestTimeout: .milliseconds(300)) { producer in
            _ = try await producer.send(try message("a"))
            // The second is written, but the broker never says so, and meanwhile nobody wants to know any more.
            let faults = [FakeCluster.Fault](repeating: .loseAnswer, count: 3)
            fake.state.withLock { $0.faults = faults }
            let abandoned = Task { try await producer.send(try message("b")) }
            try await eventually("the second is written") { try fake.values("t").count == 2 }
            abandoned.cancel()
            await #expect(throws: CancellationError.self) { try await abandoned.value }
            _ = try await producer.send(try message("c"))
            #expect(try fake.values("t") == ["a", "b", "c"])
        }
    }

    @Test func refusedRecordIsAnErrorAndTheNextOneIsWritten() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1], faults: [.refuse(.messageTooLarge)])
        try await withProducer(fake) { producer in
            await #expect {
                try await producer.send(try message("large"))
            } throws: { error in
                (error as? KafkaClientError)?.code == .messageTooLarge && "\(error)".contains("t-0")
            }
            _ = try await producer.send(try message("small"))
            #expect(try fake.values("t") == ["small"])
            #expect(fake.broker?.count(.initProducerId) == 1)
        }
    }

    @Test func batchThatIsTooLargeIsSentInParts() async throws {
        let faults: [FakeCluster.Fault] = [.refuse(.messageTooLarge), .refuse(.messageTooLarge), .loseAnswer]
        let fake = try await FakeCluster.start(topics: ["t": 1], faults: faults)
        try await withProducer(fake, ProducerConfiguration(linger: .milliseconds(20))) { producer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for value in Self.numbers {
                    group.addTask {
                        let offset = try await producer.send(try message(value)).offset
                        #expect(try fake.values("t")[Int(offset.rawValue)] == value)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try fake.values("t").sorted() == Self.numbers.sorted())
            #expect(fake.broker?.count(.initProducerId) == 1)
        }
    }

    @Test func keysChooseThePartitionAndKeylessBatchesTakeTurns() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 12])
        try await withProducer(fake) { producer in
            for (key, _, expected) in PartitionerTests.golden {
                let (partition, _) = try await producer.send(
                    ProducerMessage(topic: try topic("t"), key: key, value: nil))
                #expect(Int(partition.rawValue) == expected)
                #expect(try await producer.partition(forKey: key, topic: try topic("t")) == partition)
            }
            var used: Set<PartitionIndex> = []
            for value in 0..<12 { used.insert(try await producer.send(try message("\(value)")).partition) }
            #expect(used.count == 12)
            #expect(try await producer.send(try message("x", partition: 5)).partition == 5)
        }
    }

    @Test func topicIsCreatedOnFirstUse() async throws {
        let fake = try await FakeCluster.start(topics: [:])
        fake.state.withLock { $0.leaderlessAnswers = 2 }
        try await withProducer(fake) { producer in
            _ = try await producer.send(try message("a"))
            #expect(try fake.values("t") == ["a"])
        }
    }

    @Test func topicThatStaysMissingIsNamed() async throws {
        let fake = try await FakeCluster.start(topics: [:])
        fake.state.withLock { $0.createsTopics = false }
        try await withProducer(fake, requestTimeout: .milliseconds(200)) { producer in
            let missing = KafkaClientError.unknownTopic(try topic("t"))
            await #expect(throws: missing) {
                try await producer.send(try message("a"))
            }
            await #expect(throws: missing) {
                try await producer.send(try batch(["a"]), to: try partition("t"))
            }
        }
    }

    @Test func partitionThatDoesNotExistIsNamed() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake, requestTimeout: .milliseconds(200)) { producer in
            let missing = KafkaClientError.unknownPartition(try partition("t", 3))
            await #expect(throws: missing) {
                try await producer.send(try message("a", partition: 3))
            }
        }
    }

    @Test func outageIsWaitedOut() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake) { producer in
            _ = try await producer.send(try message("a"))
            await fake.stop()
            async let second = producer.send(try message("b"))
            async let third = producer.send(try batch(["c"]), to: try partition("t"))
            try await Task.sleep(for: .milliseconds(100))
            try await fake.listen()
            _ = try await (second, third)
            #expect(try fake.values("t").sorted() == ["a", "b", "c"])
        }
    }

    @Test func deliveryTimeoutEndsTheWait() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        let configuration = ProducerConfiguration(deliveryTimeout: .milliseconds(200))
        try await withProducer(fake, configuration) { producer in
            _ = try await producer.send(try message("a"))
            await fake.stop()
            let missing = KafkaClientError.deliveryTimedOut(try partition("t"), after: .milliseconds(200))
            await #expect(throws: missing) {
                try await producer.send(try message("b"))
            }
        }
    }

    @Test func closingDuringAnOutageIsQuickAndFailsWhatIsLeft() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake) { producer in
            _ = try await producer.send(try message("a"))
            await fake.stop()
            let stuck = Task { try await producer.send(try message("b")) }
            try await Task.sleep(for: .milliseconds(50))
            let start = ContinuousClock.now
            await producer.close()
            #expect(.now - start < .seconds(2))
            await #expect(throws: KafkaClientError.closed) { try await stuck.value }
            await #expect(throws: KafkaClientError.closed) { try await producer.send(try message("c")) }
        }
    }

    @Test func closingDeliversWhatLingers() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake, ProducerConfiguration(linger: .seconds(60))) { producer in
            let lingering = try await producer.enqueue(try message("a"))
            await producer.close(within: .seconds(20))
            #expect(try await lingering.offset() == 0)
        }
    }

    @Test func withoutAcknowledgementNothingIsWaitedFor() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake, ProducerConfiguration(acks: .none)) { producer in
            for value in Self.numbers { #expect(try await producer.send(try message(value)).offset == -1) }
            try await eventually("all are written") { try fake.values("t") == Self.numbers }
            #expect(fake.broker?.count(.initProducerId) == 0)
        }
    }

    @Test func sendersAreHeldBackWhenTooMuchWaits() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        try await withProducer(fake, ProducerConfiguration(maximumBufferedBytes: 100)) { producer in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for value in Self.numbers {
                    group.addTask { _ = try await producer.send(try message(value)) }
                }
                try await group.waitForAll()
            }
            #expect(try fake.values("t").sorted() == Self.numbers.sorted())
        }
    }
}
