import KafkaProtocol

// AddPartitionsToTxn (24): adds partitions to a producer's transaction, and begins it with the first ones.
//
// - All or none: if one is not there, it is answered UNKNOWN_TOPIC_OR_PARTITION and the others OPERATION_NOT_ATTEMPTED.
//   Topics that belong to the broker are refused with INVALID_TOPIC_EXCEPTION.
// - Answered when that is as durable as an append with acks=all: otherwise a partition could have records of a transaction
//   that nobody knows after a power failure.
// - A producer that was fenced is told PRODUCER_FENCED from version 2 on, INVALID_PRODUCER_EPOCH before.
enum AddPartitionsToTxnHandler: RequestHandler {
    static func handle(_ request: AddPartitionsToTxnRequest, _ exchange: Exchange<AddPartitionsToTxnResponse>) {
        let catalog = exchange.context.node.catalog
        var refused: [PartitionName: ErrorCode] = [:]
        var names: Set<PartitionName> = []
        for topic in request.topics {
            let found = catalog.topic(topic.name)
            for index in topic.partitions {
                let name = PartitionName(topic: topic.name, partition: index)
                names.insert(name)
                if found?.partition(index) == nil {
                    refused[name] = .unknownTopicOrPartition
                } else if found?.isInternal ?? false {
                    refused[name] = .invalidTopicException
                }
            }
        }
        guard refused.isEmpty else {
            return exchange.reply(self.response(request) { refused[$0] ?? .operationNotAttempted })
        }
        guard !request.transactionalID.isEmpty else {
            return exchange.reply(self.response(request) { _ in .invalidRequest })
        }
        exchange.context.node.transactions.add(
            names, by: ProducerIdentity(producerID: request.producerID, epoch: request.producerEpoch),
            id: request.transactionalID
        ) { code in
            let code = code.asFencing(from: 2, in: exchange.context.apiVersion)
            exchange.reply(self.response(request) { _ in code })
        }
    }

    private static func response(
        _ request: AddPartitionsToTxnRequest, _ code: (PartitionName) -> ErrorCode
    ) -> AddPartitionsToTxnResponse {
        AddPartitionsToTxnResponse(
            results: request.topics.map { topic in
                .init(
                    name: topic.name,
                    results: topic.partitions.map {
                        .init(
                            partitionIndex: $0,
                            errorCode: code(PartitionName(topic: topic.name, partition: $0)))
                    })
            })
    }
}

extension ErrorCode {
    /// PRODUCER_FENCED as a request of this version knows it: before `first` it is INVALID_PRODUCER_EPOCH (KIP-588).
    func asFencing(from first: Int16, in version: Int16) -> ErrorCode {
        self == .producerFenced && version < first ? .invalidProducerEpoch : self
    }
}
