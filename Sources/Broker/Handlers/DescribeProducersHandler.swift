import CommitLog
import KafkaProtocol
import RecordBatch

// DescribeProducers (61): which producers a partition knows, and whether they have a transaction open (KIP-664).
enum DescribeProducersHandler: RequestHandler {
    static func handle(_ request: DescribeProducersRequest, _ exchange: Exchange<DescribeProducersResponse>) {
        let catalog = exchange.context.node.catalog
        exchange.reply(
            DescribeProducersResponse(
                topics: request.topics.map { topic in
                    .init(
                        name: topic.name,
                        partitions: topic.partitionIndexes.map { index in
                            self.describe(catalog.partition(topic.name, index), index)
                        })
                }))
    }

    private static func describe(
        _ partition: Partition?, _ index: Int32
    ) -> DescribeProducersResponse.PartitionResponse {
        guard let partition else { return .init(partitionIndex: index, errorCode: .unknownTopicOrPartition) }
        return .init(
            partitionIndex: index,
            activeProducers: partition.producers.map { id, state in
                .init(
                    producerID: id, producerEpoch: Int32(state.epoch), lastSequence: state.lastSequence,
                    lastTimestamp: state.lastUsed, coordinatorEpoch: state.coordinatorEpoch,
                    currentTxnStartOffset: state.openSince?.rawValue ?? -1)
            })
    }
}
