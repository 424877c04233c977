import KafkaProtocol
import NIOCore
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// A consumer of logs that are cut back, deleted, created anew, damaged, of old formats, or full of transactions.
@Suite struct ChangingLogTests {
    private func withCluster(
        topics: [String: Int] = ["t": 1], _ body: (FakeCluster, Cluster, LogLines, Producer) async throws -> Void
    ) async throws {
        let fake = try await FakeCluster.start(topics: topics)
        let lines = LogLines()
        let cluster = Cluster(configuration: .local(port: fake.port), logger: lines.logger)
        let producer = Producer(cluster: cluster)
        do {
            try await body(fake, cluster, lines, producer)
        } catch {
            cluster.close()
            await fake.stop()
            throw error
        }
        await producer.close()
        cluster.close()
        await fake.stop()
    }

    private func configuration(_ change: (inout FetchConfiguration) -> Void = { _ in }) throws
        -> GroupConsumerConfiguration
    {
        var configuration = GroupConsumerConfiguration.quick("g", .named([try topic("t")]))
        change(&configuration.fetching)
        return configuration
    }

    @Test func logThatANewLeaderCutBackIsReadOnWhereBothPart() async throws {
        try await withCluster { fake, cluster, lines, producer in
            let name = try topic("t")
            try await producer.write(["a", "b", "lost"], to: name)
            let reader = try Reader(cluster, try configuration())
            try await eventually("all are read") { reader.values == ["a", "b", "lost"] }
            // The new leader had only the first two, and has another record in the third's place.
            try fake.state.withLock { state in
                state.leaderEpoch = 1
                state.epochEnds = [0: 2]
                state.logs[try partition("t")]?.truncate(to: 2)
            }
            try await producer.write(["c", "d"], to: name)
            try await eventually("what replaced it is read") { reader.values == ["a", "b", "lost", "c", "d"] }
            #expect(reader.records.map(\.offset) == [0, 1, 2, 2, 3])
            #expect(lines.visible.contains { $0.contains("was cut back to 2, before the position 3") })
            try await reader.cancel()
        }
    }

    @Test func cutBackLogIsAnErrorWithoutResetPolicy() async throws {
        try await withCluster { fake, cluster, _, producer in
            try await producer.write(["a", "b"], to: try topic("t"))
            let target = try partition("t")
            let listener = RecordingListener(starts: [target: 0])
            let reader = try Reader(cluster, try configuration { $0.offsetReset = .none }, listener: listener)
            try await eventually("all are read") { reader.values == ["a", "b"] }
            fake.state.withLock { state in
                state.leaderEpoch = 1
                state.epochEnds = [0: 1]
                state.logs[target]?.truncate(to: 1)
            }
            let error = KafkaClientError.logTruncated(target, position: 2, divergence: 1)
            await #expect(throws: error) { try await reader.end() }
        }
    }

    @Test func leaderWhoseLogHoldsEverythingIsReadOn() async throws {
        try await withCluster { fake, cluster, lines, producer in
            try await producer.write(["a", "b"], to: try topic("t"))
            let reader = try Reader(cluster, try configuration())
            try await eventually("all are read") { reader.values == ["a", "b"] }
            fake.state.withLock { state in
                state.leaderEpoch = 3
                state.epochEnds = [0: 2]
            }
            try await producer.write(["c"], to: try topic("t"))
            try await eventually("it goes on") { reader.values == ["a", "b", "c"] }
            #expect(fake.broker?.count(.offsetForLeaderEpoch) == 1)
            #expect(!lines.visible.contains { $0.contains("cut back") })
            try await reader.cancel()
        }
    }

    @Test(arguments: [FetchConfiguration.OffsetReset.earliest, .latest])
    func topicCreatedAnewIsReadFromItsBeginning(reset: FetchConfiguration.OffsetReset) async throws {
        try await withCluster { fake, cluster, lines, producer in
            let target = try partition("t")
            fake.state.withLock { $0.topicIDs["t"] = KafkaUUID(high: 1, low: 1) }
            try await producer.write(["a", "b"], to: target.topic)
            let reader = try Reader(
                cluster, try configuration { $0.offsetReset = reset }, listener: RecordingListener(starts: [target: 0]))
            try await eventually("all are read") { reader.values == ["a", "b"] }
            fake.state.withLock { state in
                state.topics["t"] = nil
                state.createsTopics = false
                state.logs[target] = nil
            }
            try await eventually("it is looked for") { cluster.knownMetadata.topics[target.topic] == nil }
            fake.state.withLock { state in
                state.topics["t"] = 1
                state.topicIDs["t"] = KafkaUUID(high: 2, low: 2)
            }
            let fresh = Producer(cluster: cluster)
            try await fresh.write(["c", "d", "e"], to: target.topic)
            try await eventually("the new one is read") { reader.values == ["a", "b", "c", "d", "e"] }
            #expect(reader.records.map(\.offset) == [0, 1, 0, 1, 2])
            #expect(lines.visible.contains { $0.contains("topic t was deleted and created again") })
            try await reader.cancel()
            await fresh.close()
        }
    }

    @Test func committedReadingStopsAtTheLastStableOffsetAndLeavesOutWhatWasAborted() async throws {
        try await withCluster { fake, cluster, _, producer in
            let target = try partition("t")
            fake.state.withLock { $0.unstableAnswers = 2 }
            var builder = RecordBatchBuilder(producerID: 7, producerEpoch: 0, baseSequence: 0, isTransactional: true)
            builder.append(timestamp: 0, key: nil, value: bytes("aborted"))
            let aborted = try builder.finish()
            var control = RecordBatchBuilder(producerID: 7, producerEpoch: 0, isTransactional: true, isControl: true)
            control.append(timestamp: 0, key: ByteBuffer(integer: Int32(0)), value: ByteBuffer(integer: Int32(0)))
            let marker = try control.finish()
            for batch in [try batch(["a"]), aborted, marker, try batch(["b"])] {
                fake.state.withLock { state in state.logs[target, default: FakeLog()].place(batch) }
            }
            fake.state.withLock {
                $0.aborted = [FetchResponse.AbortedTransaction(producerID: 7, firstOffset: 1)]
            }
            let reader = try Reader(
                cluster,
                try configuration {
                    $0.isolation = .readCommitted
                    $0.deliversEmptyBatches = true
                }, commits: true)
            try await eventually("all is read") { reader.values == ["a", "b"] }
            try await eventually("the end is committed") { fake.state.withLock { $0.committed[target] } == 4 }
            #expect(fake.state.withLock { $0.isolationLevels } == [1])
            #expect(fake.state.withLock { $0.requiredStable && $0.unstableAnswers == 0 })
            try await reader.cancel()
        }
    }

    @Test func oldFormatsAreReadLikeNewOnes() async throws {
        try await withCluster { fake, cluster, _, producer in
            fake.state.withLock { $0.legacyFormat = .v1 }
            try await producer.write(["a", "b", "c"], to: try topic("t"))
            let reader = try Reader(cluster, try configuration())
            try await eventually("all are read") { reader.values == ["a", "b", "c"] }
            #expect(reader.records.map(\.offset) == [0, 1, 2])
            try await reader.cancel()
        }
    }

    @Test func damagedBatchIsPassedOverWhereThatIsThePolicy() async throws {
        try await withCluster { fake, cluster, lines, producer in
            try await producer.write(["a", "b"], to: try topic("t"))
            fake.state.withLock { $0.damagedFetches = Fetcher.damageLimit }
            let reader = try Reader(cluster, try configuration { $0.damagedBatches = .skip })
            try await eventually("the next is read") { reader.values == ["b"] }
            #expect(reader.consumer.damagedBatchCount == 1)
            let line = "error: partition t-0 is damaged at offset 0"
            #expect(lines.visible.contains { $0.hasPrefix(line) && $0.hasSuffix("going on at offset 1") })
            try await reader.cancel()
        }
    }

    @Test func staticMemberIsFencedByAnotherAndDoesNotLeave() async throws {
        try await withCluster { fake, cluster, _, producer in
            try await producer.write(["a"], to: try topic("t"))
            var configuration = try configuration()
            configuration.instanceID = "host-1"
            let closing = try Reader(cluster, configuration)
            try await eventually("it reads") { closing.values == ["a"] }
            try await closing.cancel()
            #expect(fake.broker?.count(.leaveGroup) == 0)

            let listener = RecordingListener()
            let fenced = try Reader(cluster, configuration, listener: listener)
            try await eventually("it reads") { fenced.values == ["a"] }
            fake.state.withLock { $0.groupFaults[.heartbeat] = [.fencedInstanceID] }
            await #expect {
                try await fenced.end()
            } throws: { error in
                (error as? KafkaClientError)?.code == .fencedInstanceID
            }
            #expect(listener.events == [.assigned(["t-0"]), .lost(["t-0"])])
            #expect(fake.broker?.count(.leaveGroup) == 0)
            #expect(fake.state.withLock { $0.instanceIDs } == ["host-1"])
        }
    }
}
