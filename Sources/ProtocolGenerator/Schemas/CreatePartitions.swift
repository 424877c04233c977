// CreatePartitions (key 37, KIP-195): versions 0 to 3 differ in their encoding only.

extension API {
    static let createPartitions = API("createPartitions", key: 37, versions: "0-3", flexibleFrom: 2)
}

extension MessageSchema {
    static let createPartitionsRequest = API.createPartitions.request(
        "Adds partitions to topics.",
        [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "CreatePartitionsTopic", "A topic to add partitions to.",
                            [
                                Field("name", .string),
                                Field("count", .int32, about: "How many partitions the topic is to have in all."),
                                Field(
                                    "assignments",
                                    .array(
                                        .structure(
                                            Structure(
                                                "CreatePartitionsAssignment",
                                                "Where the replicas of one new partition go.",
                                                [Field("brokerIds", .array(.int32))]))),
                                    nullable: "0+", default: "nil",
                                    about: "One for each new partition; null to leave it to the broker."),
                            ])))),
            Field("timeoutMs", .int32, about: "How long to wait for the partitions, in milliseconds."),
            Field("validateOnly", .bool, about: "Check only; add nothing."),
        ])

    static let createPartitionsResponse = API.createPartitions.response(
        "Whether the partitions were added.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "results",
                .array(
                    .structure(
                        Structure(
                            "CreatePartitionsTopicResult", "Whether one topic got its partitions.",
                            [
                                Field("name", .string),
                                Field("errorCode", .errorCode),
                                Field("errorMessage", .string, nullable: "0+", default: "nil"),
                            ])))),
        ])
}
