import KafkaProtocol

// ListTransactions (66): the transactional ids of this broker, all or those in some states or of some producers (KIP-664).
enum ListTransactionsHandler: RequestHandler {
    static func handle(_ request: ListTransactionsRequest, _ exchange: Exchange<ListTransactionsResponse>) {
        let states = Set(request.stateFilters.compactMap { TransactionState(name: $0) })
        let unknown = request.stateFilters.filter { TransactionState(name: $0) == nil }
        exchange.context.node.transactions.list { known in
            let wanted = known.filter { _, record in
                (request.stateFilters.isEmpty || states.contains(record.state))
                    && (request.producerIdFilters.isEmpty || request.producerIdFilters.contains(record.producerID))
            }
            exchange.reply(
                ListTransactionsResponse(
                    unknownStateFilters: unknown,
                    transactionStates: wanted.map { id, record in
                        .init(
                            transactionalID: id, producerID: record.producerID, transactionState: record.state.name)
                    }))
        }
    }
}
