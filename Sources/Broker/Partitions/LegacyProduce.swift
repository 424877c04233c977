import KafkaProtocol
import NIOCore
import RecordBatch

/// The records of Produce 0–2: message sets, made into one v2 batch each so that the log has one format only. No state;
/// called on a thread of the pool, since a small set can decompress to much.
enum LegacyProduce {
    /// What became of a partition's message set: a batch, nothing (the set is empty), or why it is refused.
    typealias Conversion = Result<EncodedBatch?, Partition.Refusal>

    /// Converts a request's message sets, by topic and partition as they stand in it. All of them together may decompress
    /// to as much as one batch.
    static func convert(_ request: ProduceRequest, _ context: RequestContext) -> [[Conversion]] {
        var limits = context.node.configuration.limits
        let standardBatchBytes = limits.batchBytes
        var budget = limits.decompressedBytes
        return request.topicData.map { topic in
            limits.batchBytes = context.node.catalog.topic(topic.name)?.settings.batchBytes ?? standardBatchBytes
            return topic.partitionData.map { data in
                Conversion { () throws(Partition.Refusal) in
                    try self.batch(data.records, limits, &budget, apiVersion: context.apiVersion)
                }
            }
        }
    }

    /// - Returns: nil if the set is empty.
    private static func batch(
        _ records: ByteBuffer?, _ limits: BrokerLimits, _ budget: inout Int, apiVersion: Int16
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
            batch = try .converting(messageSet: records, budget: &budget)
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
