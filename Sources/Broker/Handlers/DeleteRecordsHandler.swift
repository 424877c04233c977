import KafkaProtocol
import RecordBatch

// DeleteRecords (21): deletes the records before an offset (KIP-107).
//
// - Offset -1 means all that consumers may read. What lies before the new log start offset cannot be read any more at
//   once; its files go with the segment they are in.
// - An offset beyond the high watermark is answered OFFSET_OUT_OF_RANGE; one before the log start offset changes nothing.
// - Answered with the log start offset once it is on the disk. Runs on the thread pool.
enum DeleteRecordsHandler: RequestHandler {
    static func handle(_ request: DeleteRecordsRequest, _ exchange: Exchange<DeleteRecordsResponse>) {
        let node = exchange.context.node
        node.onPool {
            exchange.reply(
                DeleteRecordsResponse(
                    topics: request.topics.map { topic in
                        .init(name: topic.name, partitions: topic.partitions.map { self.delete($0, topic.name, node) })
                    }))
        }
    }

    private static func delete(
        _ wanted: DeleteRecordsRequest.DeleteRecordsPartition, _ topic: String, _ node: BrokerNode
    ) -> DeleteRecordsResponse.DeleteRecordsPartitionResult {
        var result = DeleteRecordsResponse.DeleteRecordsPartitionResult(
            partitionIndex: wanted.partitionIndex, lowWatermark: -1)
        do throws(Partition.Refusal) {
            guard let partition = node.catalog.partition(topic, wanted.partitionIndex) else {
                throw Partition.Refusal(.unknownTopicOrPartition, nil)
            }
            guard !partition.isInternal else { throw Partition.Refusal(.policyViolation, nil) }
            result.lowWatermark = try partition.deleteRecords(before: wanted.offset).rawValue
        } catch {
            result.errorCode = error.code
        }
        return result
    }
}
