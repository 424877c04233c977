internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import RecordBatch
internal import SeriesStore

/// Tells the consumer where to start, which is where the database stopped, and sees to it that partitions are in the
/// database before they go to another member. Called by the consumer's task.
///
/// Each assignment asks the database anew: another process of the group may have read the partition meanwhile, and agents'
/// records too.
struct Assignments: RebalanceListener {
    let intake: Intake
    let cluster: Cluster
    let database: CommittedProgress
    let follower: OffsetFollower
    let logger: Logger

    func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        if partitions.isEmpty { return [:] }
        let bounds = try await bounds(of: partitions)
        let progress = try await database.read()
        let checksums = try await LastBatches(cluster: cluster, logger: logger).checksums(
            before: partitions.reduce(into: [:]) { offsets, partition in
                guard let stored = progress.positions[SourcePartition(partition)], stored.checksum != nil,
                    let bounds = bounds[partition]
                else { return }
                let last = Offset(stored.nextOffset - 1)
                if last >= bounds.start, last < bounds.end { offsets[partition] = last }
            })
        var starts: [TopicPartition: Intake.Start] = [:]
        for partition in partitions {
            let stored = progress.positions[SourcePartition(partition)]
            guard let bounds = bounds[partition] else {
                // Deleted a moment ago; should it come back, it is read from where the database stopped.
                starts[partition] = Intake.Start(stored: stored, offset: Offset(stored?.nextOffset ?? 0))
                continue
            }
            let position = StartPosition(
                stored: stored, topicID: bounds.topicID, checksum: checksums[partition], start: bounds.start,
                end: bounds.end)
            if let warning = position.warning {
                logger.warning("\(partition): \(warning)")
            }
            starts[partition] = Intake.Start(
                stored: stored, offset: position.offset, end: bounds.end, topicID: bounds.topicID,
                missed: position.missed)
        }
        await intake.assign(starts, progress: progress)
        return starts.mapValues(\.offset)
    }

    func revoked(_ partitions: [TopicPartition]) async {
        if await intake.flush() { await follower.follow(within: .milliseconds(500)) }
        await intake.unassign(partitions)
    }

    private struct Bounds {
        let start: Offset
        let end: Offset
        let topicID: String?
    }

    /// Where each partition's log starts and ends; partitions that do not exist are missing. Waits while the cluster
    /// cannot be reached.
    private func bounds(
        of partitions: [TopicPartition]
    ) async throws -> [TopicPartition: Bounds] {
        let admin = Admin(cluster: cluster)
        while true {
            do {
                let metadata = try await cluster.refreshMetadata()
                let existing = partitions.filter { partition in
                    (metadata.partitionCount(of: partition.topic) ?? 0) > Int(partition.partition.rawValue)
                }
                let starts = try await admin.startOffsets(existing)
                let ends = try await admin.endOffsets(existing)
                return starts.reduce(into: [:]) { bounds, entry in
                    let topicID = metadata.topics[entry.key.topic]?.id.map(\.description)
                    bounds[entry.key] = ends[entry.key].map { Bounds(start: entry.value, end: $0, topicID: topicID) }
                }
            } catch let error as KafkaClientError where error.isRetriable {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
