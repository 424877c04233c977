internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import RecordBatch

/// Tells the consumer where to start, which is where the database stopped, and sees to it that partitions are in the
/// database before they go to another member. Called by the consumer's task.
struct Assignments: RebalanceListener {
    let intake: Intake
    let cluster: Cluster
    let follower: OffsetFollower
    let logger: Logger

    func assigned(_ partitions: [TopicPartition]) async throws -> [TopicPartition: Offset] {
        let bounds = try await bounds(of: partitions)
        var starts: [TopicPartition: Offset] = [:]
        for partition in partitions {
            let stored = await intake.storedOffset(of: partition)
            guard let bounds = bounds[partition] else {
                // Deleted a moment ago; should it come back, it is read from where the database stopped.
                starts[partition] = stored ?? 0
                continue
            }
            let position = StartPosition(stored: stored, start: bounds.start, end: bounds.end)
            if let warning = position.warning {
                logger.warning("\(partition): \(warning)")
            }
            starts[partition] = position.offset
        }
        await intake.assign(starts, ends: bounds.mapValues(\.end))
        return starts
    }

    func revoked(_ partitions: [TopicPartition]) async {
        if await intake.flush() { await follower.follow(within: .milliseconds(500)) }
        await intake.unassign(partitions)
    }

    /// Where each partition's log starts and ends; partitions that do not exist are missing. Waits while the cluster
    /// cannot be reached.
    private func bounds(
        of partitions: [TopicPartition]
    ) async throws -> [TopicPartition: (start: Offset, end: Offset)] {
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
                    bounds[entry.key] = ends[entry.key].map { (start: entry.value, end: $0) }
                }
            } catch let error as KafkaClientError where error.isRetriable {
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }
}
