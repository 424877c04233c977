import KafkaProtocol

// DescribeTransactions (65): how far transactional ids have come (KIP-664). One that is not known is answered
// TRANSACTIONAL_ID_NOT_FOUND.
enum DescribeTransactionsHandler: RequestHandler {
    static func handle(_ request: DescribeTransactionsRequest, _ exchange: Exchange<DescribeTransactionsResponse>) {
        exchange.context.node.transactions.list { known in
            let records = Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0.record) })
            exchange.reply(
                DescribeTransactionsResponse(
                    transactionStates: request.transactionalIDs.map { self.describe($0, records[$0]) }))
        }
    }

    private static func describe(
        _ id: String, _ record: TransactionRecord?
    ) -> DescribeTransactionsResponse.TransactionState {
        guard let record else { return .init(errorCode: .transactionalIDNotFound, transactionalID: id) }
        return .init(
            transactionalID: id, transactionState: record.state.name,
            transactionTimeoutMs: record.timeoutMilliseconds, transactionStartTimeMs: record.startedAt,
            producerID: record.producerID, producerEpoch: record.epoch,
            topics: record.topics.map { .init(topic: $0.topic, partitions: $0.partitions) })
    }
}
