import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// Fetches the partitions of one assignment into the consumer's buffer: one long poll at a time at each broker that
/// leads some of them.
///
/// `run()` belongs to the consumer's task; it starts a child task for each broker.
final class Fetcher: Sendable {
    /// A damaged batch is asked for this often; it may have been damaged on its way.
    private static let damageLimit = 3

    let lane = ConnectionLane()
    private let cluster: Cluster
    private let configuration: GroupConsumerConfiguration
    private let requests: GroupRequests
    private let buffer: BatchBuffer
    private let assignmentNumber: UInt64
    private let topics: Set<TopicName>
    private let partitions: [TopicPartition]
    private let positions: Mutex<FetchPositions>
    /// The brokers that are being fetched from.
    private let active = Mutex<Set<Int32>>([])
    /// What ended the fetching from some broker for good.
    private let failure = Mutex<(any Error)?>(nil)
    /// Notified when partitions may have other leaders than the active brokers, and with a failure.
    private let leadersMoved = Signal()

    init(
        cluster: Cluster, configuration: GroupConsumerConfiguration, requests: GroupRequests, buffer: BatchBuffer,
        partitions: [TopicPartition], starts: [TopicPartition: Offset], assignmentNumber: UInt64
    ) {
        self.cluster = cluster
        self.configuration = configuration
        self.requests = requests
        self.buffer = buffer
        self.assignmentNumber = assignmentNumber
        self.topics = Set(partitions.map(\.topic))
        self.partitions = partitions
        self.positions = Mutex(
            FetchPositions(
                partitions: partitions, starts: starts, maximumBytes: configuration.partitionMaximumBytes,
                backoff: cluster.configuration.retryBackoff))
    }

    /// Fetches until cancelled.
    ///
    /// - Throws: what no retry will mend.
    func run() async throws {
        try await startAtCommittedOffsets()
        try await withThrowingDiscardingTaskGroup { group in
            var backoff = Backoff(cluster.configuration.retryBackoff)
            while true {
                let version = leadersMoved.version
                if let failure = failure.withLock({ $0 }) { throw failure }
                let metadata = try? await cluster.metadata(of: topics)
                try Task.checkCancellation()
                let leaders = partitions.map { metadata?.leader(of: $0) }
                for broker in Set(leaders.compactMap { $0 }) where active.withLock({ $0.insert(broker).inserted }) {
                    group.addTask { await self.keepFetching(from: broker) }
                }
                if leaders.contains(nil) {
                    cluster.invalidateMetadata(of: topics)
                    try await leadersMoved.wait(after: version, until: .now + backoff.next())
                } else {
                    backoff.reset()
                    try await leadersMoved.wait(after: version)
                }
            }
        }
    }

    /// Partitions for which the listener named no offset start where the group has committed.
    private func startAtCommittedOffsets() async throws {
        let unresolved = positions.withLock { $0.unresolved }
        guard !unresolved.isEmpty else { return }
        let committed = try await cluster.retrying(.untilReachable) {
            try await requests.committedOffsets(of: unresolved)
        }
        positions.withLock { positions in
            for (partition, offset) in committed { positions.move(partition, to: offset) }
        }
    }

    private func keepFetching(from broker: Int32) async {
        do {
            try await fetch(from: broker)
        } catch {
            // The group's body is not cancelled by a child's error, so it has to be told.
            failure.withLock { $0 = error }
        }
        active.withLock { _ = $0.remove(broker) }
        leadersMoved.notify()
    }

    /// Fetches from one broker for as long as it leads some of the partitions.
    private func fetch(from broker: Int32) async throws {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        while true {
            do {
                try await buffer.waitForRoom()
                let metadata = try await cluster.metadata(of: topics)
                let led = partitions.filter { metadata.leader(of: $0) == broker }
                if led.isEmpty { return }
                if led.count < partitions.count { leadersMoved.notify() }
                try await lookUpOffsets(of: led, at: broker)
                try await fetchOnce(Set(led), from: broker)
                backoff.reset()
            } catch let error as KafkaClientError where error.mayPass {
                cluster.logger.debug("group \(configuration.group): fetching from broker \(broker): \(error)")
                cluster.invalidateMetadata(of: topics)
                try await Task.sleep(for: backoff.next())
            }
        }
    }

    private func fetchOnce(_ led: Set<TopicPartition>, from broker: Int32) async throws {
        let wanted = positions.withLock { $0.due(now: .now, where: led.contains) }
        guard !wanted.isEmpty else {
            let retryAt = positions.withLock { $0.nextRetry(where: led.contains) }
            try await Task.sleep(until: retryAt ?? .now + cluster.configuration.retryBackoff.lowerBound)
            return
        }
        let answer: FetchResponse = try await cluster.send(
            to: .broker(broker), lane: lane,
            timeout: configuration.fetchMaximumWait + cluster.configuration.requestTimeout
        ) { version in
            guard version >= 4 else {
                throw KafkaClientError.unencodable(request: "Fetch", reason: "the broker is older than Kafka 0.11")
            }
            return request(wanted)
        }
        guard answer.errorCode == .none else {
            throw KafkaClientError.refused(answer.errorCode, subject: "fetch from broker \(broker)", message: nil)
        }
        let positions = Dictionary(uniqueKeysWithValues: wanted.map { ($0.partition, $0.offset) })
        for topic in answer.responses {
            guard let name = try? TopicName(topic.topic) else { continue }
            for data in topic.partitions {
                let partition = TopicPartition(topic: name, partition: PartitionIndex(data.partitionIndex))
                guard let position = positions[partition] else { continue }
                try take(data, of: partition, from: position)
            }
        }
    }

    private func request(_ wanted: [FetchPositions.Wanted]) -> FetchRequest {
        var request = FetchRequest()
        request.maxWaitMs = configuration.fetchMaximumWait.wholeMilliseconds
        request.minBytes = Int32(clamping: configuration.fetchMinimumBytes)
        request.maxBytes = Int32(clamping: configuration.fetchMaximumBytes)
        // Neighbours of one topic share an entry, and the order stays.
        for partition in wanted {
            let entry = FetchRequest.FetchPartition(
                partition: partition.partition.partition.rawValue, fetchOffset: partition.offset.rawValue,
                partitionMaxBytes: Int32(clamping: partition.maximumBytes))
            let topic = partition.partition.topic.rawValue
            if let last = request.topics.indices.last, request.topics[last].topic == topic {
                request.topics[last].partitions.append(entry)
            } else {
                request.topics.append(FetchRequest.FetchTopic(topic: topic, partitions: [entry]))
            }
        }
        return request
    }

    /// Takes over one partition's part of an answer.
    private func take(
        _ data: FetchResponse.PartitionData, of partition: TopicPartition, from position: Offset
    ) throws(KafkaClientError) {
        switch data.errorCode {
        case .none:
            try take(FetchedRecords(data.records, from: position), data, of: partition, from: position)
        case .offsetOutOfRange:
            try leaveRange(partition, at: position, logStart: data.logStartOffset)
        case let code where code.isRetriable || code == .unknownServerError:
            // Led by another broker, or not there now.
            cluster.logger.debug("group \(configuration.group): fetching \(partition): \(code.name)")
            cluster.invalidateMetadata(of: [partition.topic])
            positions.withLock { $0.postpone(partition, now: .now) }
            leadersMoved.notify()
        default:
            throw .refused(data.errorCode, subject: "fetch of partition \(partition)", message: nil)
        }
    }

    private func take(
        _ fetched: FetchedRecords, _ data: FetchResponse.PartitionData, of partition: TopicPartition,
        from position: Offset
    ) throws(KafkaClientError) {
        if fetched.nextOffset > position {
            let batch = ConsumedBatch(
                topicPartition: partition, batches: fetched.batches, firstOffset: position,
                nextOffset: fetched.nextOffset, highWatermark: Offset(data.highWatermark),
                assignmentNumber: assignmentNumber)
            // Under the lock, or the next batch, fetched from a new leader, might overtake this one.
            positions.withLock { positions in
                guard positions.advance(partition, from: position, to: fetched.nextOffset) else { return }
                if !batch.batches.isEmpty || configuration.deliversEmptyBatches { buffer.append(batch) }
            }
        }
        if fetched.isCutShort { positions.withLock { $0.enlarge(partition) } }
        guard let damage = fetched.damage else { return }
        let count = positions.withLock { positions in
            positions.postpone(partition, now: .now)
            return positions.countDamage(partition)
        }
        guard count >= Self.damageLimit else { return }
        throw .damagedBatch(partition, at: fetched.nextOffset, reason: damage)
    }

    /// The offset has been deleted meanwhile, or the log was cut back.
    private func leaveRange(
        _ partition: TopicPartition, at position: Offset, logStart: Int64
    ) throws(KafkaClientError) {
        let place = logStart >= 0 ? " (the log starts at \(logStart))" : ""
        let subject = "offset \(position) of partition \(partition) is out of range\(place)"
        switch configuration.offsetReset {
        case .earliest: cluster.logger.warning("\(subject); going on at the oldest record")
        case .latest: cluster.logger.warning("\(subject); going on at the end")
        case .none: throw .noOffset(partition)
        }
        positions.withLock { $0.lose(partition) }
    }

    /// Partitions without an offset start where the reset policy says.
    private func lookUpOffsets(of led: [TopicPartition], at broker: Int32) async throws {
        let unresolved = Set(positions.withLock { $0.unresolved }).intersection(led)
        guard let first = unresolved.first else { return }
        let query: OffsetQuery
        switch configuration.offsetReset {
        case .earliest: query = .earliest
        case .latest: query = .latest
        case .none: throw KafkaClientError.noOffset(first)
        }
        let results = try await cluster.offsets(query, of: Array(unresolved), at: .broker(broker))
        for (partition, result) in results {
            if let offset = try result.get() { positions.withLock { $0.move(partition, to: offset) } }
        }
    }
}
