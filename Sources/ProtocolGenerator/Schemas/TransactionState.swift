// The records of the topic `__transaction_state`, and the one record of a control batch.

extension MessageSchema {
    static let transactionLogKey = MessageSchema(
        .data, "TransactionLogKey", "0",
        "The key of a transactional id.",
        [
            Field("transactionalId", .string)
        ])

    static let transactionLogValue = MessageSchema(
        .data, "TransactionLogValue", "0-1", flexibleFrom: 1,
        "A transactional id: its producer, and how far its transaction has come.",
        [
            Field("producerId", .int64),
            Field("producerEpoch", .int16),
            Field("transactionTimeoutMs", .int32),
            Field(
                "transactionStatus", .int8,
                about: """
                    0 empty, 1 ongoing, 2 preparing to commit, 3 preparing to abort, 4 committed, 5 aborted, 6 dead, \
                    7 preparing to fence.
                    """),
            Field(
                "transactionPartitions",
                .array(
                    .structure(
                        Structure(
                            "PartitionsSchema", "Partitions of one topic in the transaction.",
                            [
                                Field("topic", .string),
                                Field("partitionIds", .array(.int32)),
                            ]))), nullable: "0+", about: "Null where no transaction is open."),
            Field("transactionLastUpdateTimestampMs", .int64, about: "Milliseconds since the epoch."),
            Field("transactionStartTimestampMs", .int64, about: "Milliseconds since the epoch; -1 if none has begun."),
            Field(
                "previousProducerId", .int64, "1+", default: "-1", tag: 0,
                about: "The producer id of the last transaction that was committed (KIP-890)."),
            Field(
                "nextProducerId", .int64, "1+", default: "-1", tag: 1,
                about: "The producer id last given out for the transactional id (KIP-890)."),
            Field("clientTransactionVersion", .int16, "1+", tag: 2, about: "What the producer speaks (KIP-890)."),
        ])

    static let controlRecordKey = MessageSchema(
        .data, "ControlRecordKey", "0",
        "The key of the record in a control batch.",
        [
            Field("type", .int16, about: "0 aborts the producer's transaction, 1 commits it.")
        ])

    static let endTxnMarker = MessageSchema(
        .data, "EndTxnMarker", "0",
        "The value of the record in a control batch that ends a transaction.",
        [
            Field("coordinatorEpoch", .int32)
        ])
}
