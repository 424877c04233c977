import KafkaProtocol
import RecordBatch

// OffsetForLeaderEpoch (23): where an epoch ended, by which a client notices that records it has read are gone
// (KIP-101, KIP-320).
//
// - Answered from the log's `leader-epoch-checkpoint`: the largest epoch that is not larger, and where the next one
//   begins. This broker raises no epochs, so its own logs have one, which ends at the log end offset. An epoch newer than
//   all is answered with epoch and offset -1.
// - From version 2 on the client says which epoch it believes is the current one, which is checked.
enum OffsetForLeaderEpochHandler: RequestHandler {
    static func handle(_ request: OffsetForLeaderEpochRequest, _ exchange: Exchange<OffsetForLeaderEpochResponse>) {
        let catalog = exchange.context.node.catalog
        exchange.reply(
            OffsetForLeaderEpochResponse(
                topics: request.topics.map { topic in
                    .init(
                        topic: topic.topic,
                        partitions: topic.partitions.map {
                            self.look(catalog.partition(topic.topic, $0.partition), $0)
                        })
                }))
    }

    private static func look(
        _ partition: Partition?, _ wanted: OffsetForLeaderEpochRequest.OffsetForLeaderPartition
    ) -> OffsetForLeaderEpochResponse.EpochEndOffset {
        var answer = OffsetForLeaderEpochResponse.EpochEndOffset(partition: wanted.partition)
        guard let partition else {
            answer.errorCode = .unknownTopicOrPartition
            return answer
        }
        if let code = partition.epochError(wanted.currentLeaderEpoch) {
            answer.errorCode = code
        } else if let end = partition.endOffset(ofLeaderEpoch: wanted.leaderEpoch) {
            answer.leaderEpoch = end.epoch
            answer.endOffset = end.offset.rawValue
        }
        return answer
    }
}
