// InitProducerId (key 22): the identity of an idempotent or transactional producer (KIP-98, KIP-360).

extension API {
    static let initProducerId = API("initProducerId", key: 22, versions: "0-4", flexibleFrom: 2)
}

extension MessageSchema {
    static let initProducerIdRequest = API.initProducerId.request(
        "Asks for a producer id and epoch.",
        [
            Field("transactionalId", .string, nullable: "0+", about: "Null for a producer that is idempotent only."),
            Field("transactionTimeoutMs", .int32, about: "When to abort a silent transaction, in milliseconds."),
            Field("producerId", .int64, "3+", default: "-1", about: "The id to raise the epoch of; -1 for a new id."),
            Field("producerEpoch", .int16, "3+", default: "-1", about: "The epoch that goes with `producerId`."),
        ])

    static let initProducerIdResponse = API.initProducerId.response(
        "A producer id and epoch.",
        [
            Field("throttleTimeMs", .int32, ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field("producerId", .int64, default: "-1"),
            Field("producerEpoch", .int16),
        ])
}
