// Produce (key 0): versions 0 and 1 carry message sets of magic 0 and 1, version 2 of magic 1, and from version 3 on
// record batches (KIP-98). A request with `acks` 0 is not answered.

extension API {
    static let produce = API("produce", key: 0, versions: "0-9", flexibleFrom: 9)
}

extension MessageSchema {
    static let produceRequest = API.produce.request(
        "Appends record batches to partitions.",
        [
            Field("transactionalId", .string, "3+", nullable: "3+", default: "nil"),
            Field(
                "acks", .int16,
                about: "0: no answer; 1: when the leader has appended; -1: when all in-sync replicas have."),
            Field(
                "timeoutMs", .int32, about: "How long the broker may wait for the acknowledgements, in milliseconds."),
            Field(
                "topicData",
                .array(
                    .structure(
                        Structure(
                            "TopicProduceData", "What goes to one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitionData",
                                    .array(
                                        .structure(
                                            Structure(
                                                "PartitionProduceData", "What goes to one partition.",
                                                [
                                                    Field("index", .int32),
                                                    Field("records", .records, nullable: "0+"),
                                                ])))),
                            ])))),
        ])

    static let produceResponse = API.produce.response(
        "Where the record batches were appended.",
        [
            Field(
                "responses",
                .array(
                    .structure(
                        Structure(
                            "TopicProduceResponse", "The results for one topic.",
                            [
                                Field("name", .string),
                                Field("partitionResponses", .array(.structure(partition))),
                            ])))),
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
        ])

    private static let partition = Structure(
        "PartitionProduceResponse", "The result for one partition.",
        [
            Field("index", .int32),
            Field("errorCode", .errorCode),
            Field("baseOffset", .int64, about: "The first appended record's offset; -1 if nothing was appended."),
            Field(
                "logAppendTimeMs", .int64, "2+", default: "-1", ignorable: true,
                about: "The broker's time of the append, where the topic takes that; otherwise -1."),
            Field("logStartOffset", .int64, "5+", default: "-1", ignorable: true),
            Field(
                "recordErrors",
                .array(
                    .structure(
                        Structure(
                            "BatchIndexAndErrorMessage", "A record that caused its batch to be refused.",
                            [
                                Field("batchIndex", .int32, "8+", about: "The record's index in its batch."),
                                Field("batchIndexErrorMessage", .string, "8+", nullable: "8+", default: "nil"),
                            ]))), "8+", ignorable: true),
            Field("errorMessage", .string, "8+", nullable: "8+", default: "nil", ignorable: true),
        ])
}
