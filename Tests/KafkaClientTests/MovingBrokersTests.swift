import KafkaProtocol
import RecordBatch
import Synchronization
import TestKit
import Testing

@testable import KafkaClient

/// A consumer and a producer in a cluster whose leaders and coordinators move, and whose answers are not what they
/// should be.
@Suite struct MovingBrokersTests {
    private func withCluster(
        brokers: Int = 2, _ body: (FakeCluster, Cluster, LogLines) async throws -> Void
    ) async throws {
        let fake = try await FakeCluster.start(topics: ["t": 2], brokers: brokers)
        let lines = LogLines()
        let cluster = Cluster(configuration: .local(port: fake.port), logger: lines.logger)
        do {
            try await body(fake, cluster, lines)
        } catch {
            cluster.close()
            await fake.stop()
            throw error
        }
        cluster.close()
        await fake.stop()
    }

    private func write(_ range: Range<Int>, _ producer: Producer) async throws {
        for value in range {
            try await producer.write(["\(value)"], to: try topic("t"), partition: PartitionIndex(Int32(value % 2)))
        }
    }

    private func sorted(_ reader: Reader) -> [Int] { reader.values.compactMap { Int($0) }.sorted() }

    @Test func leaderThatMovesIsFollowed() async throws {
        try await withCluster { fake, cluster, _ in
            let producer = Producer(cluster: cluster)
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])))
            for (round, leader) in [Int32(1), 2, 1].enumerated() {
                fake.state.withLock { $0.leader = leader }
                try await write(round * 10..<round * 10 + 10, producer)
                try await eventually("round \(round) is read") { reader.records.count >= round * 10 + 10 }
            }
            #expect(sorted(reader) == Array(0..<30))
            #expect(fake.state.withLock { ($0.fetches[2] ?? 0) > 0 })
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func coordinatorThatMovesIsFollowed() async throws {
        try await withCluster { fake, cluster, _ in
            let producer = Producer(cluster: cluster)
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])), commits: true)
            try await write(0..<4, producer)
            try await eventually("all is committed") {
                fake.state.withLock { $0.committed.values.reduce(0, +) } == 4
            }
            fake.state.withLock { $0.coordinator = 2 }
            try await write(4..<8, producer)
            try await eventually("all is committed") {
                fake.state.withLock { $0.committed.values.reduce(0, +) } == 8
            }
            try await eventually("the new one hears heartbeats") {
                fake.state.withLock { $0.groupRequests[2] ?? 0 } > 4
            }
            #expect(sorted(reader) == Array(0..<8))
            #expect(reader.consumer.assignmentNumber == 1)
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func errorsThatPassAreWaitedOut() async throws {
        try await withCluster { fake, cluster, _ in
            let producer = Producer(cluster: cluster)
            try await write(0..<10, producer)
            fake.state.withLock {
                $0.leaderlessAnswers = 2
                $0.fetchFaults = [
                    .unknownServerError, .leaderNotAvailable, .unknownTopicOrPartition, .kafkaStorageError,
                    .fencedLeaderEpoch,
                ]
                $0.groupFaults[.joinGroup] = [
                    .coordinatorLoadInProgress, .notCoordinator, .rebalanceInProgress, .unknownMemberID,
                    .illegalGeneration,
                ]
                $0.groupFaults[.syncGroup] = [
                    .coordinatorNotAvailable, .rebalanceInProgress, .unknownMemberID, .notCoordinator,
                    .illegalGeneration,
                ]
                $0.groupFaults[.findCoordinator] = [.coordinatorNotAvailable, .coordinatorLoadInProgress]
            }
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])))
            try await eventually("all are read") { reader.records.count >= 10 }
            #expect(sorted(reader) == Array(0..<10))
            #expect(fake.state.withLock { $0.groupFaults.values.allSatisfy(\.isEmpty) })
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test(arguments: [APIKey.findCoordinator, .joinGroup, .syncGroup])
    func refusalOfTheGroupEndsTheConsumer(_ api: APIKey) async throws {
        try await withCluster { fake, cluster, _ in
            fake.state.withLock { $0.groupFaults[api] = [.groupAuthorizationFailed] }
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])))
            await #expect {
                try await reader.end()
            } throws: { error in
                (error as? KafkaClientError)?.code == .groupAuthorizationFailed && "\(error)".contains("group g")
            }
        }
    }

    @Test func refusalEndsTheConsumer() async throws {
        try await withCluster { fake, cluster, _ in
            fake.state.withLock { $0.fetchFaults = [.topicAuthorizationFailed] }
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])))
            await #expect {
                try await reader.end()
            } throws: { error in
                (error as? KafkaClientError)?.code == .topicAuthorizationFailed && "\(error)".contains("partition t-")
            }
        }
    }

    @Test func damagedBatchIsNamedAfterSomeAttempts() async throws {
        try await withCluster { fake, cluster, _ in
            let producer = Producer(cluster: cluster)
            try await write(0..<1, producer)
            fake.state.withLock { $0.damagedFetches = .max }
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])))
            await #expect {
                try await reader.end()
            } throws: { error in
                guard case KafkaClientError.damagedBatch(let damaged, at: 0, _) = error else { return false }
                return damaged.description == "t-0"
            }
            await producer.close()
        }
    }

    @Test func batchThatWasDamagedOnItsWayIsFetchedAgain() async throws {
        try await withCluster { fake, cluster, _ in
            let producer = Producer(cluster: cluster)
            try await write(0..<4, producer)
            fake.state.withLock { $0.damagedFetches = 2 }
            let reader = try Reader(cluster, .quick("g", .named([try topic("t")])))
            try await eventually("all are read") { reader.records.count >= 4 }
            #expect(sorted(reader) == Array(0..<4))
            try await reader.cancel()
            await producer.close()
        }
    }
}
