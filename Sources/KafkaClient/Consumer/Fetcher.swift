import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Fetches partitions into the consumer's buffer: one long poll at a time at each broker that leads some of them.
///
/// `run()` belongs to the consumer's task; it starts a child task for each broker. What is fetched may change any time,
/// from any thread. Batches enter the buffer under the lock of `positions`, so none comes of a partition that was
/// given up, paused or moved before.
final class Fetcher: Sendable {
    /// A damaged batch is asked for this often; it may have been damaged on its way.
    static let damageLimit = 3

    let cluster: Cluster
    let configuration: FetchConfiguration
    /// Who reads, for the log.
    let reader: String
    let buffer: BatchBuffer
    let positions: Mutex<FetchPositions>
    /// Where the group has committed; nil without a group.
    private let committed: (@Sendable ([TopicPartition]) async throws -> [TopicPartition: Offset])?
    private let lane = Mutex(ConnectionLane())
    /// The brokers that are being fetched from.
    private let active = Mutex<Set<Int32>>([])
    /// Whether `run()` is looking for leaders anyway.
    private let isLookingForLeaders = Mutex(false)
    /// What ended the fetching from some broker for good.
    private let failure = Mutex<(any Error)?>(nil)
    /// Batches passed over for damage.
    let damagedCount = Mutex(0)
    /// Notified when other partitions are to be fetched, when they may have other leaders than the active brokers, and
    /// with a failure.
    let changed = Signal()

    init(
        cluster: Cluster, configuration: FetchConfiguration, reader: String, buffer: BatchBuffer,
        committed: (@Sendable ([TopicPartition]) async throws -> [TopicPartition: Offset])? = nil
    ) {
        self.cluster = cluster
        self.configuration = configuration
        self.reader = reader
        self.buffer = buffer
        self.committed = committed
        self.positions = Mutex(
            FetchPositions(
                maximumBytes: configuration.partitionMaximumBytes, backoff: cluster.configuration.retryBackoff))
    }

    // MARK: What is fetched

    /// Reads these partitions too. Those without a start begin where the group has committed, or where the reset policy
    /// says.
    func assign(_ partitions: [TopicPartition], starts: [TopicPartition: Offset]) {
        guard !partitions.isEmpty else { return }
        positions.withLock {
            $0.assign(partitions, starts: starts, fallback: committed == nil ? .reset : .committed)
        }
        interrupt()
    }

    /// Reads them no more. What waits of them is dropped; nothing more comes.
    func revoke(_ partitions: some Sequence<TopicPartition>) {
        let revoked = Set(partitions)
        positions.withLock { positions in
            positions.remove(revoked)
            buffer.drop(revoked.contains)
        }
        changed.notify()
    }

    /// Asks for nothing more of them, and drops what was asked for but not handed out: it will be asked for again.
    func pause(_ partitions: some Sequence<TopicPartition>) {
        let paused = Set(partitions)
        positions.withLock { positions in
            let dropped = buffer.drop(paused.contains)
            for partition in paused { positions.pause(partition, backTo: dropped[partition]) }
        }
    }

    func resume(_ partitions: some Sequence<TopicPartition>) {
        positions.withLock { positions in
            for partition in partitions { positions.resume(partition) }
        }
        changed.notify()
    }

    var paused: [TopicPartition] { positions.withLock { $0.paused } }

    /// - Throws: `KafkaClientError.notAssigned`.
    func seek(_ partition: TopicPartition, to offset: Offset) throws(KafkaClientError) {
        let isRead = positions.withLock { positions in
            buffer.drop { $0 == partition }
            return positions.seek(partition, to: offset)
        }
        guard isRead else { throw .notAssigned(partition) }
        interrupt()
    }

    /// Ends the polls under way, which ask for something else than what is wanted now.
    private func interrupt() {
        let old = lane.withLock { lane in
            defer { lane = ConnectionLane() }
            return lane
        }
        cluster.close(old)
        changed.notify()
    }

    // MARK: Fetching

    /// Fetches until cancelled.
    ///
    /// - Throws: what no retry will mend.
    func run() async throws {
        defer { cluster.close(lane.withLock { $0 }) }
        try await withThrowingDiscardingTaskGroup { group in
            if committed != nil { group.addTask { await self.report { try await self.keepAskingTheGroup() } } }
            var backoff = Backoff(cluster.configuration.retryBackoff)
            while true {
                let version = changed.version
                if let failure = failure.withLock({ $0 }) { throw failure }
                let topics = positions.withLock { $0.topics }
                let metadata = topics.isEmpty ? nil : try? await cluster.metadata(of: topics)
                try Task.checkCancellation()
                let partitions = positions.withLock { $0.partitions }
                var leaderless: Set<TopicName> = []
                var brokers: Set<Int32> = []
                for partition in partitions {
                    if let leader = metadata?.leader(of: partition) {
                        brokers.insert(leader)
                    } else {
                        leaderless.insert(partition.topic)
                    }
                }
                for broker in brokers where active.withLock({ $0.insert(broker).inserted }) {
                    group.addTask { await self.keepFetching(from: broker) }
                }
                isLookingForLeaders.withLock { $0 = !leaderless.isEmpty }
                if leaderless.isEmpty {
                    backoff.reset()
                    try await changed.wait(after: version)
                } else {
                    cluster.invalidateMetadata(of: leaderless)
                    try await changed.wait(after: version, until: .now + backoff.next())
                }
            }
        }
    }

    /// The group's body is not cancelled by a child's error, so it has to be told.
    private func report(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch {
            failure.withLock { $0 = error }
            changed.notify()
        }
    }

    private func keepFetching(from broker: Int32) async {
        await report { try await self.fetch(from: broker) }
        active.withLock { _ = $0.remove(broker) }
        changed.notify()
    }

    /// Fetches from one broker for as long as it leads some of the partitions.
    private func fetch(from broker: Int32) async throws {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            do {
                try await buffer.waitForRoom()
                let version = changed.version
                let (topics, partitions) = positions.withLock { ($0.topics, $0.partitions) }
                if partitions.isEmpty { return }
                let metadata = try await cluster.metadata(of: topics)
                try noteRecreated(positions.withLock { $0.learn(metadata) })
                let led = Set(partitions.filter { metadata.leader(of: $0) == broker })
                if led.isEmpty { return }
                if led.count < partitions.count, partitions.contains(where: { isForgotten($0, metadata) }) {
                    changed.notify()
                }
                try await lookUpOffsets(of: led, at: broker)
                try await validate(led, at: broker)
                try await fetchOnce(led, from: broker, version: version)
                backoff.reset()
            } catch let error as KafkaClientError where error.mayPass {
                cluster.logger.debug("\(reader): fetching from broker \(broker): \(error)")
                cluster.invalidateMetadata(of: positions.withLock { $0.topics })
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    /// Whether nobody fetches a partition, and `run()` does not know.
    private func isForgotten(_ partition: TopicPartition, _ metadata: ClusterMetadata) -> Bool {
        guard let leader = metadata.leader(of: partition) else { return isLookingForLeaders.withLock { !$0 } }
        return active.withLock { !$0.contains(leader) }
    }

    private func fetchOnce(_ led: Set<TopicPartition>, from broker: Int32, version: UInt64) async throws {
        let wanted = positions.withLock { $0.due(now: .now, where: led.contains) }
        guard !wanted.isEmpty else {
            // Everything is paused, left alone for a while, or waits for an answer of the group.
            if let retryAt = positions.withLock({ $0.nextRetry(where: led.contains) }) {
                try await changed.wait(after: version, until: retryAt)
            } else {
                try await changed.wait(after: version)
            }
            return
        }
        let lane = lane.withLock { $0 }
        let answer: FetchResponse
        do {
            answer = try await cluster.send(
                to: .broker(broker), lane: lane,
                timeout: configuration.maximumWait + cluster.configuration.requestTimeout
            ) { version in try request(wanted, version: version) }
        } catch KafkaClientError.closed where self.lane.withLock({ $0 != lane }) {
            // Interrupted, to ask for something else.
            cluster.close(lane)
            return
        }
        guard answer.errorCode == .none else {
            throw KafkaClientError.refused(answer.errorCode, subject: "fetch from broker \(broker)", message: nil)
        }
        let asked = Dictionary(uniqueKeysWithValues: wanted.map { ($0.partition, $0) })
        for topic in answer.responses {
            guard let name = try? TopicName(topic.topic) else { continue }
            for data in topic.partitions {
                let partition = TopicPartition(topic: name, partition: PartitionIndex(data.partitionIndex))
                guard let wanted = asked[partition] else { continue }
                try take(data, wanted)
            }
        }
    }

    private func request(_ wanted: [FetchPositions.Wanted], version: Int16) throws(KafkaClientError) -> FetchRequest {
        guard version >= 4 || configuration.isolation == .readUncommitted else {
            throw .unencodable(
                request: "Fetch", reason: "the broker is older than Kafka 0.11 and knows no transactions")
        }
        var request = FetchRequest()
        request.maxWaitMs = configuration.maximumWait.wholeMilliseconds
        request.minBytes = Int32(clamping: configuration.minimumBytes)
        // Together the brokers may send as much as may wait.
        let share = configuration.prefetchBytes / max(1, active.withLock { $0.count })
        request.maxBytes = Int32(clamping: max(1, min(configuration.maximumBytes, share)))
        request.isolationLevel = configuration.isolation.rawValue
        // Neighbours of one topic share an entry, and the order stays.
        for partition in wanted {
            let entry = FetchRequest.FetchPartition(
                partition: partition.partition.partition.rawValue, currentLeaderEpoch: partition.leaderEpoch,
                fetchOffset: partition.offset.rawValue,
                partitionMaxBytes: Int32(clamping: min(partition.maximumBytes, max(share, 1))))
            let topic = partition.partition.topic.rawValue
            if let last = request.topics.indices.last, request.topics[last].topic == topic {
                request.topics[last].partitions.append(entry)
            } else {
                request.topics.append(FetchRequest.FetchTopic(topic: topic, partitions: [entry]))
            }
        }
        return request
    }

    /// Asks the group where it has committed, for as long as there are partitions that begin there.
    private func keepAskingTheGroup() async throws {
        guard let committed else { return }
        while true {
            let version = changed.version
            let unresolved = positions.withLock { $0.unresolved(.committed, now: .now) }
            if unresolved.isEmpty {
                try await changed.wait(after: version)
                continue
            }
            let offsets = try await cluster.retrying(.untilReachable) { try await committed(unresolved.keys.sorted()) }
            positions.withLock { positions in
                for (partition, number) in unresolved {
                    let place = offsets[partition].map(FetchPositions.Place.at) ?? .reset
                    positions.resolve(partition, number: number, to: place)
                }
            }
            changed.notify()
        }
    }
}
