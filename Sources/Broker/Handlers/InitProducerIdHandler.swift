import KafkaProtocol
import Logging

// InitProducerId (22): gives an idempotent producer its id.
//
// - Each request gets a new id with epoch 0, also from version 3 on, where a producer may name the id it has in
//   order to have its epoch raised: a new id serves the same end and needs nothing remembered.
// - Transactional producers are refused with UNSUPPORTED_VERSION, which clients treat as final.
// - Ids are reserved on disk in blocks, on the thread pool.
enum InitProducerIdHandler: RequestHandler {
    static func handle(_ request: InitProducerIdRequest, _ exchange: Exchange<InitProducerIdResponse>) {
        guard request.transactionalID == nil else {
            return exchange.reply(InitProducerIdResponse(errorCode: .unsupportedVersion))
        }
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
