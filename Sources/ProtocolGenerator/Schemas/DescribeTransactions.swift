// DescribeProducers (key 61), DescribeTransactions (key 65) and ListTransactions (key 66): who is writing what (KIP-664).

extension API {
    static let describeProducers = API("describeProducers", key: 61, versions: "0", flexibleFrom: 0)
    static let describeTransactions = API("describeTransactions", key: 65, versions: "0", flexibleFrom: 0)
    static let listTransactions = API("listTransactions", key: 66, versions: "0", flexibleFrom: 0)
}

extension MessageSchema {
    static let describeProducersRequest = API.describeProducers.request(
        "Asks which producers write to partitions.",
        [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "TopicRequest", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field("partitionIndexes", .array(.int32)),
                            ]))))
        ])

    static let describeProducersResponse = API.describeProducers.response(
        "The producers that write to partitions.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "TopicResponse", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "PartitionResponse", "The producers of one partition.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field("errorCode", .errorCode),
                                                    Field("errorMessage", .string, nullable: "0+", default: "nil"),
                                                    Field("activeProducers", .array(.structure(producerState))),
                                                ])))),
                            ])))),
        ])

    private static let producerState = Structure(
        "ProducerState", "What a partition knows of one producer.",
        [
            Field("producerId", .int64),
            Field("producerEpoch", .int32),
            Field("lastSequence", .int32, default: "-1"),
            Field("lastTimestamp", .int64, default: "-1", about: "Milliseconds since the epoch."),
            Field("coordinatorEpoch", .int32),
            Field(
                "currentTxnStartOffset", .int64, default: "-1",
                about: "Where its open transaction begins; -1 if there is none."),
        ])

    static let describeTransactionsRequest = API.describeTransactions.request(
        "Asks for transactions.", [Field("transactionalIds", .array(.string))])

    static let describeTransactionsResponse = API.describeTransactions.response(
        "The transactions asked for.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "transactionStates",
                .array(
                    .structure(
                        Structure(
                            "TransactionState", "One transactional id.",
                            [
                                Field("errorCode", .errorCode),
                                Field("transactionalId", .string),
                                Field("transactionState", .string, about: transactionStateMeaning),
                                Field("transactionTimeoutMs", .int32),
                                Field(
                                    "transactionStartTimeMs", .int64,
                                    about: "Milliseconds since the epoch; -1 if no transaction is open."),
                                Field("producerId", .int64),
                                Field("producerEpoch", .int16),
                                Field(
                                    "topics",
                                    .array(
                                        .structure(
                                            Structure(
                                                "TopicData", "Partitions in the open transaction.",
                                                [
                                                    Field("topic", .string),
                                                    Field("partitions", .array(.int32)),
                                                ])))),
                            ])))),
        ])

    static let listTransactionsRequest = API.listTransactions.request(
        "Asks for the transactional ids that this broker coordinates.",
        [
            Field("stateFilters", .array(.string), about: "Only those in these states; empty for all."),
            Field("producerIdFilters", .array(.int64), about: "Only those of these producers; empty for all."),
        ])

    static let listTransactionsResponse = API.listTransactions.response(
        "The transactional ids that this broker coordinates.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field(
                "unknownStateFilters", .array(.string),
                about: "The states of the request that the broker does not know."
            ),
            Field(
                "transactionStates",
                .array(
                    .structure(
                        Structure(
                            "TransactionState", "One transactional id.",
                            [
                                Field("transactionalId", .string),
                                Field("producerId", .int64),
                                Field("transactionState", .string, about: transactionStateMeaning),
                            ])))),
        ])
}

private let transactionStateMeaning = "`Empty`, `Ongoing`, `PrepareCommit`, `CompleteCommit`, `PrepareAbort`, …"
