import KafkaProtocol

// AddOffsetsToTxn (25): adds the partition with a group's committed offsets to a producer's transaction.
//
// - Answered when that is as durable as an append with acks=all. TxnOffsetCommit follows.
// - A producer that was fenced is told PRODUCER_FENCED from version 2 on, INVALID_PRODUCER_EPOCH before.
enum AddOffsetsToTxnHandler: RequestHandler {
    static func handle(_ request: AddOffsetsToTxnRequest, _ exchange: Exchange<AddOffsetsToTxnResponse>) {
        guard !request.transactionalID.isEmpty else {
            return exchange.reply(AddOffsetsToTxnResponse(errorCode: .invalidRequest))
        }
        exchange.context.node.transactions.add(
            group: request.groupID, by: ProducerIdentity(producerID: request.producerID, epoch: request.producerEpoch),
            id: request.transactionalID
        ) { code in
            exchange.reply(
                AddOffsetsToTxnResponse(errorCode: code.asFencing(from: 2, in: exchange.context.apiVersion)))
        }
    }
}
