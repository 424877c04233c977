import KafkaProtocol

// EndTxn (26): commits or aborts a producer's transaction.
//
// - Answered when its markers are on disk in all partitions, so that whoever reads after the answer sees the outcome. Kafka
//   answers once the decision is stored; a request that comes between is answered CONCURRENT_TRANSACTIONS in both.
// - If markers cannot be written, the decision holds all the same: it is answered as done, and they are tried again.
// - A producer that was fenced is told PRODUCER_FENCED from version 2 on, INVALID_PRODUCER_EPOCH before.
enum EndTxnHandler: RequestHandler {
    static func handle(_ request: EndTxnRequest, _ exchange: Exchange<EndTxnResponse>) {
        guard !request.transactionalID.isEmpty else {
            return exchange.reply(EndTxnResponse(errorCode: .invalidRequest))
        }
        exchange.context.node.transactions.end(
            isCommit: request.committed,
            by: ProducerIdentity(producerID: request.producerID, epoch: request.producerEpoch),
            id: request.transactionalID
        ) { code in
            exchange.reply(EndTxnResponse(errorCode: code.asFencing(from: 2, in: exchange.context.apiVersion)))
        }
    }
}
