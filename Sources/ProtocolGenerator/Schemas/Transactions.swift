// What a transactional producer sends (KIP-98) beside InitProducerId and Produce, and what administrators ask (KIP-664).
// Version 4 and later of AddPartitionsToTxn are for brokers among themselves; up to there Kafka's later schemas call its
// fields `V3AndBelow…`.

extension API {
    static let addPartitionsToTxn = API("addPartitionsToTxn", key: 24, versions: "0-3", flexibleFrom: 3)
    static let addOffsetsToTxn = API("addOffsetsToTxn", key: 25, versions: "0-3", flexibleFrom: 3)
    static let endTxn = API("endTxn", key: 26, versions: "0-3", flexibleFrom: 3)
    static let txnOffsetCommit = API("txnOffsetCommit", key: 28, versions: "0-3", flexibleFrom: 3)
}

extension MessageSchema {
    private static let producer = [
        Field("transactionalId", .string),
        Field("producerId", .int64),
        Field("producerEpoch", .int16),
    ]

    private static let outcome = [
        Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
        Field("errorCode", .errorCode),
    ]

    static let addPartitionsToTxnRequest = API.addPartitionsToTxn.request(
        "Adds partitions to the producer's transaction, and begins it with the first ones.",
        producer + [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "AddPartitionsToTxnTopic", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field("partitions", .array(.int32)),
                            ]))))
        ])

    static let addPartitionsToTxnResponse = API.addPartitionsToTxn.response(
        "Whether the partitions were added.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "results",
                .array(
                    .structure(
                        Structure(
                            "AddPartitionsToTxnTopicResult", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "results",
                                    .array(
                                        .structure(
                                            Structure(
                                                "AddPartitionsToTxnPartitionResult", "Whether one partition was added.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field("errorCode", .errorCode),
                                                ])))),
                            ])))),
        ])

    static let addOffsetsToTxnRequest = API.addOffsetsToTxn.request(
        "Adds a group's committed offsets to the producer's transaction.", producer + [Field("groupId", .string)])

    static let addOffsetsToTxnResponse = API.addOffsetsToTxn.response("Whether the group was added.", outcome)

    static let endTxnRequest = API.endTxn.request(
        "Commits or aborts the producer's transaction.",
        producer + [Field("committed", .bool, about: "True to commit, false to abort.")])

    static let endTxnResponse = API.endTxn.response("Whether the transaction ends as asked.", outcome)

    static let txnOffsetCommitRequest = API.txnOffsetCommit.request(
        "Commits a group's offsets as part of a transaction.",
        [
            Field("transactionalId", .string),
            Field("groupId", .string),
            Field("producerId", .int64),
            Field("producerEpoch", .int16),
            Field("generationId", .int32, "3+", default: "-1", about: generationMeaning),
            Field("memberId", .string, "3+", about: memberMeaning),
            Field("groupInstanceId", .string, "3+", nullable: "3+", default: "nil", about: groupInstanceMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "TxnOffsetCommitRequestTopic", "The offsets of one topic.",
                            [
                                Field("name", .string),
                                Field("partitions", .array(.structure(offset))),
                            ])))),
        ])

    private static let offset = Structure(
        "TxnOffsetCommitRequestPartition", "The offset of one partition.",
        [
            Field("partitionIndex", .int32),
            Field("committedOffset", .int64, about: "The next offset to consume."),
            Field("committedLeaderEpoch", .int32, "2+", default: "-1", ignorable: true, about: leaderEpochMeaning),
            Field("committedMetadata", .string, nullable: "0+", about: "Text of the consumer's own."),
        ])

    static let txnOffsetCommitResponse = API.txnOffsetCommit.response(
        "Whether the offsets were taken into the transaction.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "TxnOffsetCommitResponseTopic", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "TxnOffsetCommitResponsePartition", "Whether one offset was taken.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field("errorCode", .errorCode),
                                                ])))),
                            ])))),
        ])
}
