import KafkaProtocol
import NIOCore
import RecordBatch

// Produce (0): appends record batches.
//
// - One v2 batch per partition, as Kafka requires from version 3 on. The broker reads its header and CRC; the
//   records stay as the client encoded them. In a newer request the older formats are answered INVALID_RECORD.
// - Versions 0–2 bring message sets of formats 0 and 1, which become one v2 batch with the set's codec and timestamps
//   (-1 where format 0 has none). An empty set is answered with offset -1 and no error. They are converted on the thread
//   pool, one request of a connection after the other.
// - acks=0 has no answer at all (if records are refused the connection is closed, as Kafka does), acks=1 is answered
//   from the page cache, acks=-1 when the batch is synced to disk, if the broker's durability says so. `timeoutMs`
//   concerns replication and is not needed.
// - The topic's `max.message.bytes`, `min.insync.replicas` (for acks=-1; there is one broker, so more than 1 is answered
//   NOT_ENOUGH_REPLICAS) and `message.timestamp.type` are obeyed. With LogAppendTime the broker's time goes into the
//   batch's header, and into the answer from version 2 on.
// - With a `compression.type` other than `producer` a batch that comes with another codec is compressed anew. Topics with
//   `cleanup.policy=compact` refuse records without a key (INVALID_RECORD).
// - When the disk has little room, or cannot be written, the answer is KAFKA_STORAGE_ERROR, which producers retry.
// - Pipelined from version 3 on: requests of one connection append in order but share syncs while they wait.
// - A topic that does not exist is created if the settings allow it (Kafka does so only for Metadata).
// - Versions 5 and later answer with the log start offset, 8 and later with a message per refused batch.
enum ProduceHandler: RequestHandler {
    /// Message sets are converted elsewhere, so nothing may be served meanwhile.
    static func order(ofVersion version: Int16) -> RequestOrder {
        version < BatchCheck.firstVersionOfBatches ? .alone : .pipelined
    }

    static func handle(_ request: ProduceRequest, _ exchange: Exchange<ProduceResponse>) {
        let context = exchange.context
        guard context.apiVersion < BatchCheck.firstVersionOfBatches else {
            return self.serve(request, converted: nil, exchange)
        }
        context.node.onPool {
            let converted = LegacyProduce.convert(request, context)
            context.eventLoop.execute { self.serve(request, converted: converted, exchange) }
        }
    }

    /// - Parameter converted: the batches of a request with message sets.
    private static func serve(
        _ request: ProduceRequest, converted: [[LegacyProduce.Conversion]]?, _ exchange: Exchange<ProduceResponse>
    ) {
        let context = exchange.context
        let isDurable = request.acks == -1 && context.node.configuration.durability == .acknowledged
        let pending = isDurable ? PendingProduce(eventLoop: context.eventLoop) : nil
        var response = ProduceResponse()
        response.responses.reserveCapacity(request.topicData.count)
        for (topicIndex, topic) in request.topicData.enumerated() {
            var results: [ProduceResponse.PartitionProduceResponse] = []
            results.reserveCapacity(topic.partitionData.count)
            for (index, data) in topic.partitionData.enumerated() {
                let callback = pending?.callback(topic: topicIndex, partition: index)
                do throws(Partition.Refusal) {
                    let receipt = try self.append(
                        data, converted?[topicIndex][index], to: topic.name, request, context, callback)
                    if receipt.waitsForSync { pending?.expectSync() }
                    results.append(
                        .init(
                            index: data.index, baseOffset: receipt.baseOffset.rawValue,
                            logAppendTimeMs: receipt.logAppendTime, logStartOffset: receipt.logStartOffset.rawValue))
                } catch {
                    if let limit = error.limit { context.node.counters.reached(limit) }
                    results.append(
                        .init(index: data.index, errorCode: error.code, baseOffset: -1, errorMessage: error.reason))
                }
            }
            response.responses.append(.init(name: topic.name, partitionResponses: results))
        }
        if request.acks == 0 {
            if let refusal = self.firstRefusal(in: response) {
                exchange.hangUp("records it sent with acks=0 were refused: \(refusal)")
            } else {
                exchange.stayQuiet()
            }
        } else if let pending {
            pending.begin(response, exchange)
        } else {
            exchange.reply(response)
        }
    }

    private static func firstRefusal(in response: ProduceResponse) -> String? {
        for topic in response.responses {
            for result in topic.partitionResponses where result.errorCode != .none {
                return "\(topic.name)-\(result.index): \(result.errorMessage ?? result.errorCode.description)"
            }
        }
        return nil
    }

    private static func append(
        _ data: ProduceRequest.PartitionProduceData, _ converted: LegacyProduce.Conversion?, to topic: String,
        _ request: ProduceRequest, _ context: RequestContext, _ callback: SyncWait?
    ) throws(Partition.Refusal) -> Partition.Receipt {
        guard (-1...1).contains(request.acks) else {
            throw Partition.Refusal(.invalidRequiredAcks, "acks may be -1, 0 or 1")
        }
        let (partition, settings) = try self.partition(data.index, of: topic, context.node)
        guard request.acks != -1 || settings.minimumReplicas <= 1 else {
            throw Partition.Refusal(
                .notEnoughReplicas,
                "the topic's min.insync.replicas is \(settings.minimumReplicas), but there is one broker")
        }
        var limits = context.node.configuration.limits
        if let batchBytes = settings.batchBytes { limits.batchBytes = batchBytes }
        var batch: EncodedBatch
        if let converted {
            guard let made = try converted.get() else { return partition.emptyReceipt }
            batch = made
        } else {
            batch = try BatchCheck.check(
                data.records, limit: limits.batchBytes, apiVersion: context.apiVersion)
        }
        let count = Int(batch.header.recordCount)
        let bytes = batch.header.totalByteCount
        if settings.looksAtRecords { try settings.obey(on: &batch, limits) }
        if settings.usesAppendTime { batch.setLogAppendTime(context.node.clock.wallMilliseconds()) }
        try context.node.disk.admit(batch.header.totalByteCount)
        var receipt = try partition.append(batch, sync: callback)
        if settings.usesAppendTime { receipt.logAppendTime = batch.header.maxTimestamp }
        partition.traffic.produced(records: count, bytes: bytes)
        return receipt
    }

    private static func partition(
        _ index: Int32, of topic: String, _ node: BrokerNode
    ) throws(Partition.Refusal) -> (Partition, TopicSettings) {
        if let found = node.catalog.topic(topic), let partition = found.partition(index) {
            guard !found.isInternal else {
                throw Partition.Refusal(.invalidTopicException, "\(topic) is written by the broker only")
            }
            return (partition, found.settings)
        }
        do throws(TopicRefusal) {
            if node.catalog.topic(topic) == nil && node.configuration.autoCreateTopics {
                _ = try node.catalog.topicCreatingIfNeeded(topic)
            } else {
                _ = try node.catalog.validName(topic)
            }
        } catch {
            throw Partition.Refusal(error.code, error.reason)
        }
        guard let found = node.catalog.topic(topic), let partition = found.partition(index) else {
            throw Partition.Refusal(.unknownTopicOrPartition, nil)
        }
        return (partition, found.settings)
    }
}
