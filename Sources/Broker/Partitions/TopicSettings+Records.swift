import KafkaProtocol
import RecordBatch

/// What a topic's settings ask of the records themselves, for which a batch is opened. No state; called on the
/// connection's event loop.
extension TopicSettings {
    /// Whether anything does.
    var looksAtRecords: Bool { self.compression != nil || self.compacts }

    /// Checks the records, and compresses them as the topic wants them.
    ///
    /// - Parameter limits: with the topic's own largest batch.
    func obey(on batch: inout EncodedBatch, _ limits: BrokerLimits) throws(Partition.Refusal) {
        if self.compacts { try self.requireKeys(batch, limits) }
        guard let codec = self.compression, batch.header.compression != codec else { return }
        do throws(RecordBatchError) {
            batch = try batch.recompressed(with: codec, maximumDecompressedBytes: limits.decompressedBytes)
        } catch {
            throw Self.refusal(error)
        }
        guard batch.header.totalByteCount <= limits.batchBytes else {
            throw Partition.Refusal(
                .messageTooLarge,
                "with the topic's compression.type the batch has \(batch.header.totalByteCount) bytes; the limit is "
                    + "\(limits.batchBytes)")
        }
    }

    private func requireKeys(_ batch: EncodedBatch, _ limits: BrokerLimits) throws(Partition.Refusal) {
        var keyless = 0
        do {
            try batch.forEachRecord(maximumDecompressedBytes: limits.decompressedBytes) { record in
                if record.key == nil { keyless += 1 }
            }
        } catch {
            throw (error as? RecordBatchError).map(Self.refusal) ?? Partition.Refusal(.invalidRecord, "\(error)")
        }
        guard keyless == 0 else {
            throw Partition.Refusal(
                .invalidRecord,
                "\(keyless) of the batch's records have no key, which a topic with cleanup.policy=compact cannot keep")
        }
    }

    private static func refusal(_ error: RecordBatchError) -> Partition.Refusal {
        let code: ErrorCode =
            switch error {
            case .decompressedTooLarge: .messageTooLarge
            case .decompressionFailed: .corruptMessage
            default: .invalidRecord
            }
        return Partition.Refusal(code, error.description)
    }
}
