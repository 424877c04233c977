import KafkaProtocol
import Logging

// InitProducerId (22): gives a producer its id and epoch.
//
// - An idempotent producer gets a new id with epoch 0 each time, also from version 3 on, where it may name the id it has
//   in order to have its epoch raised: a new id serves the same end and needs nothing remembered.
// - A transactional producer gets its transactional id's producer id with a raised epoch, which fences those before it; an
//   open transaction of theirs is aborted first, and CONCURRENT_TRANSACTIONS answered until that is done. One that names
//   what it was (version 3, KIP-360) must be the latest.
// - Timeouts must be positive and at most the broker's `transaction.max.timeout.ms`.
// - PRODUCER_FENCED is known from version 4 on, and is INVALID_PRODUCER_EPOCH before.
// - Ids are reserved on disk in blocks, on the thread pool.
enum InitProducerIdHandler: RequestHandler {
    static func handle(_ request: InitProducerIdRequest, _ exchange: Exchange<InitProducerIdResponse>) {
        guard let id = request.transactionalID else { return self.giveID(exchange) }
        let settings = exchange.context.node.configuration.transactions
        guard !id.isEmpty, (request.producerID < 0) == (request.producerEpoch < 0) else {
            return exchange.reply(InitProducerIdResponse(errorCode: .invalidRequest))
        }
        guard request.transactionTimeoutMs > 0,
            Int64(request.transactionTimeoutMs) <= settings.maximumTimeout.milliseconds
        else { return exchange.reply(InitProducerIdResponse(errorCode: .invalidTransactionTimeout)) }
        let identity = ProducerIdentity(producerID: request.producerID, epoch: request.producerEpoch)
        let attempt = ProducerAttempt(
            timeoutMilliseconds: request.transactionTimeoutMs, identity: request.producerID < 0 ? nil : identity)
        exchange.context.node.transactions.initialize(attempt, id: id) { code, identity in
            exchange.reply(
                InitProducerIdResponse(
                    errorCode: code.asFencing(from: 4, in: exchange.context.apiVersion),
                    producerID: identity.producerID, producerEpoch: identity.epoch))
        }
    }

    private static func giveID(_ exchange: Exchange<InitProducerIdResponse>) {
        let node = exchange.context.node
        node.onPool {
            do throws(BrokerError) {
                exchange.reply(InitProducerIdResponse(producerID: try node.producerIDs.allocate()))
            } catch {
                node.logger.error("no producer id can be given: \(error)")
                exchange.reply(InitProducerIdResponse(errorCode: .coordinatorNotAvailable))
            }
        }
    }
}
