import KafkaProtocol
import NIOCore
import RecordBatch

/// The records of Produce 0–2: message sets, made into one v2 batch so that the log has one format only. No state;
/// called on the connection's event loop.
enum LegacyProduce {
    /// - Returns: nil if the set is empty.
    static func batch(
        _ records: ByteBuffer?, _ limits: BrokerLimits, apiVersion: Int16
    ) throws(Partition.Refusal) -> EncodedBatch? {
        guard let records, records.readableBytes > 0 else { return nil }
        if let magic = LegacyMessageSet.magic(of: records), magic >= 2 {
            // Kafka takes a v2 batch in an old request, too.
            return try BatchCheck.check(records, limit: limits.batchBytes, apiVersion: apiVersion)
        }
        guard records.readableBytes <= limits.decompressedBytes else {
            throw Partition.Refusal(
                .messageTooLarge,
                "the message set has \(records.readableBytes) bytes; the limit is \(limits.decompressedBytes)",
                limit: .decompressedBytes)
        }
        let batch: EncodedBatch?
        do throws(LegacyMessageError) {
            batch = try .converting(messageSet: records, maximumDecompressedBytes: limits.decompressedBytes)
        } catch {
            throw Partition.Refusal(
                error.damage.errorCode, error.description,
                limit: error.damage.exceedsLimit ? .decompressedBytes : nil)
        }
        guard let batch, batch.header.recordCount > 0 else { return nil }
        let bytes = batch.header.totalByteCount
        guard bytes <= limits.batchBytes else {
            throw Partition.Refusal(
                .messageTooLarge, "the messages make a batch of \(bytes) bytes; the limit is \(limits.batchBytes)",
                limit: .batchBytes)
        }
        return batch
    }
}

extension Partition {
    /// What is answered to a request without records.
    var emptyReceipt: Receipt {
        Receipt(baseOffset: -1, logStartOffset: self.offsets.start, waitsForSync: false)
    }
}

extension LegacyMessageDamage {
    /// What a producer is answered.
    fileprivate var errorCode: ErrorCode {
        switch self {
        case .unsupportedCompression: .unsupportedCompressionType
        case .setTooLarge: .messageTooLarge
        case .compression(.decompressedTooLarge): .messageTooLarge
        default: .corruptMessage
        }
    }

    fileprivate var exceedsLimit: Bool {
        switch self {
        case .setTooLarge, .compression(.decompressedTooLarge): true
        default: false
        }
    }
}
