internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import RecordBatch

/// Looks at the batches that the database has read last, which are the same ones as long as the log is the same. Lives during one
/// assignment.
struct LastBatches {
    /// Nobody waits for longer than this; what is not known by then is taken to be the same.
    private static let patience = Duration.seconds(5)

    let cluster: Cluster
    let logger: Logger

    /// The checksums of the batches that hold these offsets, those that can be had.
    func checksums(before offsets: [TopicPartition: Offset]) async throws -> [TopicPartition: UInt32] {
        if offsets.isEmpty { return [:] }
        // Of each partition a batch at least, however large it is, and not much more.
        let consumer = PartitionConsumer(
            cluster: cluster, starts: offsets,
            configuration: FetchConfiguration(partitionMaximumBytes: 1, offsetReset: .none))
        let alarm = Task {
            try? await Task.sleep(for: Self.patience)
            consumer.close()
        }
        defer {
            alarm.cancel()
            consumer.close()
        }
        var found: [TopicPartition: UInt32] = [:]
        do {
            for try await batch in consumer {
                let partition = batch.topicPartition
                guard let offset = offsets[partition], batch.firstOffset == offset, found[partition] == nil else {
                    continue
                }
                // Deleted meanwhile, or passed over: then there is nothing to compare.
                guard let first = batch.batches.first, first.header.baseOffset <= offset else { continue }
                found[partition] = first.header.crc
                if found.count == offsets.count { break }
            }
        } catch let error as KafkaClientError {
            logger.debug("the batches that were read last cannot be compared", metadata: ["reason": "\(error)"])
        }
        try Task.checkCancellation()
        return found
    }
}
