import KafkaProtocol
import RecordBatch
import TestKit
import Testing

@testable import KafkaClient

/// Transactional producers and consumers of committed records against the embedded broker.
@Suite struct BrokerTransactionTests {
    private func message(_ value: String, _ name: String = "t", _ index: Int32 = 0) throws -> ProducerMessage {
        ProducerMessage(topic: try topic(name), partition: PartitionIndex(index), value: bytes(value))
    }

    /// A consumer of committed records, or of all.
    private func reader(
        _ cluster: Cluster, _ group: String, _ isolation: IsolationLevel = .readCommitted, of name: String = "t"
    ) throws -> Reader {
        var configuration = GroupConsumerConfiguration.quick(group, .named([try topic(name)]))
        configuration.fetching.isolation = isolation
        return try Reader(cluster, configuration)
    }

    private func producer(
        _ cluster: Cluster, _ id: String = "id", timeout: Duration = .seconds(60)
    ) async throws -> TransactionalProducer {
        let producer = TransactionalProducer(
            cluster: cluster, transactionalID: id, configuration: TransactionConfiguration(timeout: timeout))
        try await producer.initialize()
        return producer
    }

    @Test func committedRecordsAreReadAndAbortedOnesAreNot() async throws {
        try await TestBroker.with { _, cluster in
            try await Admin(cluster: cluster).createTopic(NewTopic(name: try topic("t"), partitions: 2))
            let producer = try await producer(cluster)
            var expected: [String] = []
            for round in 0..<6 {
                try producer.begin()
                for value in 0..<5 {
                    let text = "\(round).\(value)"
                    _ = try await producer.enqueue(try message(text, "t", Int32(value % 2)))
                    if round % 2 == 0 { expected.append(text) }
                }
                if round % 2 == 0 { try await producer.commit() } else { try await producer.abort() }
            }
            // What is sent and aborted before it is written is nowhere; what was written is there for who reads all.
            try producer.begin()
            _ = try await producer.send(try message("written"))
            try await producer.abort()
            let committed = try reader(cluster, "committed")
            let all = try reader(cluster, "all", .readUncommitted)
            try await producer.transaction {
                for index in Int32(0)..<2 { _ = try await producer.send(try message("end", "t", index)) }
            }
            try await eventually("both have come to the end") {
                committed.values.count { $0 == "end" } == 2 && all.values.count { $0 == "end" } == 2
            }
            #expect(committed.values.filter { $0 != "end" }.sorted() == expected)
            #expect(Set(all.values).isSuperset(of: expected + ["written"]))
            try await committed.cancel()
            try await all.cancel()
            await producer.close()
        }
    }

    @Test func anOpenTransactionHoldsBackWhatComesAfterIt() async throws {
        try await TestBroker.with { _, cluster in
            let transactional = try await producer(cluster)
            let plain = Producer(cluster: cluster)
            try await plain.write(["before"], to: try topic("t"))
            try transactional.begin()
            _ = try await transactional.send(try message("inside"))
            try await plain.write(["after"], to: try topic("t"))
            let committed = try reader(cluster, "committed")
            let all = try reader(cluster, "all", .readUncommitted)
            try await eventually("all is read") { all.values == ["before", "inside", "after"] }
            try await eventually("the stable part is read") { !committed.values.isEmpty }
            #expect(committed.values == ["before"])
            try await transactional.commit()
            try await eventually("the rest is read") { committed.values.count >= 3 }
            #expect(committed.values == ["before", "inside", "after"])
            try await committed.cancel()
            try await all.cancel()
            await transactional.close()
            await plain.close()
        }
    }

    /// A zombie learns it from the coordinator when it commits, or when a record is refused and it has to abort.
    @Test(arguments: [false, true]) func theLaterProducerFencesTheEarlier(sendsAgain: Bool) async throws {
        try await TestBroker.with { _, cluster in
            let zombie = try await producer(cluster)
            try zombie.begin()
            _ = try await zombie.send(try message("zombie"))
            let successor = try await producer(cluster)
            try await successor.transaction { _ = try await successor.send(try message("successor")) }
            if sendsAgain {
                await #expect(throws: (any Error).self) { _ = try await zombie.send(try message("again")) }
                await #expect(throws: TransactionError.self) { try await zombie.commit() }
            }
            await #expect {
                if sendsAgain { try await zombie.abort() } else { try await zombie.commit() }
            } throws: { error in
                guard case TransactionError.fenced("id", _) = error else { return false }
                return true
            }
            #expect(throws: TransactionError.self) { try zombie.begin() }
            try await successor.transaction { _ = try await successor.send(try message("goes on")) }
            let reader = try reader(cluster, "g")
            try await eventually("both are read") { reader.values.count >= 2 }
            #expect(reader.values == ["successor", "goes on"])
            try await reader.cancel()
            await zombie.close()
            await successor.close()
        }
    }

    /// The loop of the documentation: read, work, write, and commit the offsets with what was written.
    @Test func offsetsAreCommittedWithTheRecordsMadeOfThem() async throws {
        try await TestBroker.with { _, cluster in
            let admin = Admin(cluster: cluster)
            let source = Producer(cluster: cluster)
            try await source.write((0..<4).map(String.init), to: try topic("in"))
            let input = try partition("in")
            let producer = try await producer(cluster)

            let first = try reader(cluster, "g", of: "in")
            try await eventually("all is read") { first.values.count == 4 }
            try producer.begin()
            _ = try await producer.send(try message("lost", "out"))
            try await producer.sendOffsets([input: 4], group: first.consumer.groupMetadata)
            try await producer.abort()
            #expect(try await admin.committedOffsets(group: "g") == [:])

            try await producer.transaction {
                for value in first.values.prefix(2) {
                    _ = try await producer.send(try message("made of \(value)", "out"))
                }
                try await producer.sendOffsets([input: 2], group: first.consumer.groupMetadata)
            }
            try await eventually("the offset counts") { try await admin.committedOffsets(group: "g") == [input: 2] }

            // Who is no member of this generation is refused, and its transaction with it.
            let stranger = GroupMetadata(group: "g", generation: 1_000, memberID: "stranger")
            try producer.begin()
            _ = try await producer.send(try message("stranger", "out"))
            await #expect {
                try await producer.sendOffsets([input: 4], group: stranger)
            } throws: { error in
                guard case TransactionError.mustAbort = error else { return false }
                return true
            }
            try await producer.abort()
            try await first.cancel()

            // The next member goes on where the transaction says.
            let second = try reader(cluster, "g", of: "in")
            try await eventually("the rest is read") { second.values.count >= 2 }
            #expect(second.values == ["2", "3"])
            try await second.cancel()
            let output = try reader(cluster, "out", of: "out")
            try await eventually("what was made is read") { output.values.count >= 2 }
            #expect(output.values == ["made of 0", "made of 1"])
            try await output.cancel()
            await producer.close()
            await source.close()
        }
    }

    /// Nobody waits for a partition that is not there, and the next transaction is none the worse.
    @Test func aPartitionThatIsNotThereEndsTheTransactionOnly() async throws {
        try await TestBroker.with { broker, _ in
            let cluster = Cluster(
                configuration: .local(port: broker.port, requestTimeout: .seconds(1)), logger: broker.lines.logger)
            let producer = try await producer(cluster)
            try producer.begin()
            _ = try await producer.enqueue(try message("beside it"))
            await #expect(throws: KafkaClientError.self) { _ = try await producer.send(try message("nowhere", "t", 7)) }
            await #expect(throws: TransactionError.self) { try await producer.commit() }
            try await producer.abort()
            try await producer.transaction { _ = try await producer.send(try message("next")) }
            let reader = try reader(cluster, "g")
            try await eventually("it is read") { !reader.values.isEmpty }
            #expect(reader.values == ["next"])
            try await reader.cancel()
            await producer.close()
            cluster.close()
        }
    }

    @Test func aTransactionGoesOnAcrossARestartOfTheBroker() async throws {
        try await TestBroker.with { broker, cluster in
            let producer = try await producer(cluster)
            try producer.begin()
            _ = try await producer.send(try message("before"))
            await broker.stop()
            try await broker.start()
            _ = try await producer.send(try message("after"))
            try await producer.commit()
            let reader = try reader(cluster, "g")
            try await eventually("both are read") { reader.values.count >= 2 }
            #expect(reader.values == ["before", "after"])
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func whatIsLeftOpenTooLongIsAborted() async throws {
        try await TestBroker.with { _, cluster in
            let slow = try await producer(cluster, "slow", timeout: .milliseconds(300))
            try slow.begin()
            _ = try await slow.send(try message("too long"))
            let plain = Producer(cluster: cluster)
            try await plain.write(["held back"], to: try topic("t"))
            let reader = try reader(cluster, "g")
            try await eventually("the coordinator has aborted it") { !reader.values.isEmpty }
            #expect(reader.values == ["held back"])
            await #expect(throws: TransactionError.self) { try await slow.commit() }
            try await reader.cancel()
            await slow.close()
            await plain.close()
        }
    }
}
