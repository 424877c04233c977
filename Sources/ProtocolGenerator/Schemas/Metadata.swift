// Metadata (key 3): topics, partitions, leaders and brokers.

extension API {
    static let metadata = API("metadata", key: 3, versions: "0-12", flexibleFrom: 9)
}

extension MessageSchema {
    static let metadataRequest = API.metadata.request(
        "Asks for topics and brokers.",
        [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "MetadataRequestTopic", "A topic by id or by name.",
                            [
                                Field(
                                    "topicId", .uuid, "10+", ignorable: true, about: "The topic's id; zero if by name."),
                                Field("name", .string, nullable: "10+", about: "The topic's name; null if by id."),
                            ]))), nullable: "1+",
                about: "The topics asked for. Null asks for all; in version 0 an empty array does."),
            Field("allowAutoTopicCreation", .bool, "4+", default: "true", about: "Create topics that do not exist."),
            Field("includeClusterAuthorizedOperations", .bool, "8-10"),
            Field("includeTopicAuthorizedOperations", .bool, "8+"),
        ])

    static let metadataResponse = API.metadata.response(
        "Topics and brokers.",
        [
            Field("throttleTimeMs", .int32, "3+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "brokers",
                .array(
                    .structure(
                        Structure(
                            "MetadataResponseBroker", "A broker and where to reach it.",
                            [
                                Field("nodeId", .int32),
                                Field("host", .string),
                                Field("port", .int32),
                                Field("rack", .string, "1+", nullable: "1+", default: "nil", ignorable: true),
                            ])))),
            Field("clusterId", .string, "2+", nullable: "2+", default: "nil", ignorable: true),
            Field(
                "controllerId", .int32, "1+", default: "-1", ignorable: true,
                about: "The broker to send topic creation and deletion to; -1 if unknown."),
            Field("topics", .array(.structure(topic))),
            Field(
                "clusterAuthorizedOperations", .int32, "8-10", default: "Int32.min", ignorable: true,
                about: authorizedOperationsMeaning),
        ])

    private static let topic = Structure(
        "MetadataResponseTopic", "A topic and its partitions.",
        [
            Field("errorCode", .errorCode),
            Field(
                "name", .string, nullable: "12+", about: "The topic's name; null if it was asked for by an unknown id."),
            Field("topicId", .uuid, "10+", ignorable: true),
            Field("isInternal", .bool, "1+", ignorable: true, about: "Whether the broker keeps the topic for itself."),
            Field(
                "partitions",
                .array(
                    .structure(
                        Structure(
                            "MetadataResponsePartition", "A partition and its replicas.",
                            [
                                Field("errorCode", .errorCode),
                                Field("partitionIndex", .int32),
                                Field("leaderId", .int32, about: "The leader's broker id; -1 if there is none."),
                                Field(
                                    "leaderEpoch", .int32, "7+", default: "-1", ignorable: true,
                                    about: leaderEpochMeaning),
                                Field("replicaNodes", .array(.int32)),
                                Field("isrNodes", .array(.int32), about: "The replicas in sync with the leader."),
                                Field("offlineReplicas", .array(.int32), "5+", ignorable: true),
                            ])))),
            Field(
                "topicAuthorizedOperations", .int32, "8+", default: "Int32.min", ignorable: true,
                about: authorizedOperationsMeaning),
        ])
}
