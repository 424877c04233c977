import KafkaProtocol
import NIOCore
import RecordBatch

/// What is asked of the records of a produce request before a partition is touched.
enum BatchCheck {
    /// The first version of Produce whose records must be a v2 batch.
    static let firstVersionOfBatches: Int16 = 3
    /// Seven fields of at least one byte each.
    private static let minimumRecordBytes = 7

    static func check(
        _ records: ByteBuffer?, limit: Int, apiVersion: Int16
    ) throws(Partition.Refusal) -> EncodedBatch {
        guard let records, records.readableBytes > 0 else {
            throw Partition.Refusal(.invalidRecord, "the request has no record batch for this partition")
        }
        guard records.readableBytes <= limit else {
            throw Partition.Refusal(
                .messageTooLarge, "the batch has \(records.readableBytes) bytes; the limit is \(limit)",
                limit: .batchBytes)
        }
        let batch: EncodedBatch
        do throws(RecordBatchError) {
            batch = try EncodedBatch(validating: records)
        } catch {
            throw Partition.Refusal(error.errorCode, error.description)
        }
        return try self.check(batch, apiVersion: apiVersion)
    }

    private static func check(_ batch: EncodedBatch, apiVersion: Int16) throws(Partition.Refusal) -> EncodedBatch {
        let header = batch.header
        guard header.offsetsAreConsecutive else {
            throw Partition.Refusal(
                .invalidRecord,
                "the batch says it has \(header.recordCount) records but its last one has the offset delta "
                    + "\(header.lastOffsetDelta)")
        }
        // With compression the count can only be checked by decompressing, which is left to consumers.
        let payloadBytes = header.totalByteCount - RecordBatchHeader.byteCount
        guard header.compression != .some(.none) || Int(header.recordCount) <= payloadBytes / self.minimumRecordBytes
        else {
            throw Partition.Refusal(
                .invalidRecord, "\(header.recordCount) records cannot stand in \(payloadBytes) bytes")
        }
        guard !header.isControl else {
            throw Partition.Refusal(.invalidRecord, "clients may not write control records")
        }
        guard !header.isTransactional || header.hasProducerID else {
            throw Partition.Refusal(.invalidRecord, "a batch of a transaction names its producer")
        }
        guard !header.isLogAppendTime else {
            throw Partition.Refusal(.invalidTimestamp, "producers may not set the timestamp type to LogAppendTime")
        }
        guard let codec = header.compression else {
            throw Partition.Refusal(.unsupportedCompressionType, "the batch names an unknown compression codec")
        }
        guard codec != .zstd || apiVersion >= 7 else {
            throw Partition.Refusal(.unsupportedCompressionType, "zstd needs version 7 of the produce request")
        }
        return batch
    }
}

extension RecordBatchError {
    /// What a producer is answered.
    fileprivate var errorCode: ErrorCode {
        switch self {
        case .checksumMismatch, .truncated, .invalidLength: .corruptMessage
        case .unsupportedMagic: .invalidRecord
        case .unknownCompression: .unsupportedCompressionType
        default: .invalidRecord
        }
    }
}
