// CreateTopics (key 19).

extension API {
    static let createTopics = API("createTopics", key: 19, versions: "0-7", flexibleFrom: 5)
}

extension MessageSchema {
    static let createTopicsRequest = API.createTopics.request(
        "Creates topics.",
        [
            Field("topics", .array(.structure(topic))),
            Field("timeoutMs", .int32, default: "60000", about: "How long to wait for the topics, in milliseconds."),
            Field("validateOnly", .bool, "1+", about: "Check only; create nothing."),
        ])

    private static let topic = Structure(
        "CreatableTopic", "A topic to create.",
        [
            Field("name", .string),
            Field(
                "numPartitions", .int32, about: "-1 for the broker's default (version 4 and later) or with assignments."
            ),
            Field(
                "replicationFactor", .int16,
                about: "-1 for the broker's default (version 4 and later) or with assignments."),
            Field(
                "assignments",
                .array(
                    .structure(
                        Structure(
                            "CreatableReplicaAssignment", "Where the replicas of one partition go.",
                            [
                                Field("partitionIndex", .int32),
                                Field("brokerIds", .array(.int32)),
                            ]))), about: "Empty to leave it to the broker."),
            Field(
                "configs",
                .array(
                    .structure(
                        Structure(
                            "CreatableTopicConfig", "A setting of the topic.",
                            [
                                Field("name", .string),
                                Field("value", .string, nullable: "0+"),
                            ])))),
        ])

    static let createTopicsResponse = API.createTopics.response(
        "Whether the topics were created.",
        [
            Field("throttleTimeMs", .int32, "2+", ignorable: true, about: throttleTimeMeaning),
            Field("topics", .array(.structure(result))),
        ])

    private static let result = Structure(
        "CreatableTopicResult", "Whether one topic was created.",
        [
            Field("name", .string),
            Field("topicId", .uuid, "7+", ignorable: true),
            Field("errorCode", .errorCode),
            Field("errorMessage", .string, "1+", nullable: "1+", ignorable: true),
            Field(
                "topicConfigErrorCode", .errorCode, "5+", ignorable: true, tag: 0,
                about: "Set where the caller may not see the settings."),
            Field("numPartitions", .int32, "5+", default: "-1", ignorable: true),
            Field("replicationFactor", .int16, "5+", default: "-1", ignorable: true),
            Field(
                "configs",
                .array(
                    .structure(
                        Structure(
                            "CreatableTopicConfigs", "A setting of the topic, as it is in force.",
                            [
                                Field("name", .string, "5+"),
                                Field("value", .string, "5+", nullable: "5+"),
                                Field("readOnly", .bool, "5+"),
                                Field("configSource", .int8, "5+", default: "-1", ignorable: true),
                                Field("isSensitive", .bool, "5+"),
                            ]))), "5+", nullable: "5+", ignorable: true),
        ])
}
