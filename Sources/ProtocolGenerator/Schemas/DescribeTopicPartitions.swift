// DescribeTopicPartitions (key 75, KIP-966): what Metadata tells of topics, in pages.

extension API {
    static let describeTopicPartitions = API("describeTopicPartitions", key: 75, versions: "0", flexibleFrom: 0)
}

extension MessageSchema {
    static let describeTopicPartitionsRequest = API.describeTopicPartitions.request(
        "Asks for topics with their partitions, a page at a time.",
        [
            Field(
                "topics",
                .array(.structure(Structure("TopicRequest", "One topic.", [Field("name", .string)]))),
                about: "Empty for all topics."),
            Field("responsePartitionLimit", .int32, default: "2000", about: "The most partitions in the response."),
            Field("cursor", .structure(cursor), nullable: "0+", default: "nil", about: "Null for the first page."),
        ])

    static let describeTopicPartitionsResponse = API.describeTopicPartitions.response(
        "A page of topics with their partitions.",
        [
            Field("throttleTimeMs", .int32, ignorable: true, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "DescribeTopicPartitionsResponseTopic", "One topic.",
                            [
                                Field("errorCode", .errorCode),
                                Field("name", .string, nullable: "0+"),
                                Field("topicId", .uuid, ignorable: true),
                                Field("isInternal", .bool, ignorable: true),
                                Field("partitions", .array(.structure(partition))),
                                Field(
                                    "topicAuthorizedOperations", .int32, default: "Int32.min",
                                    about: authorizedOperationsMeaning),
                            ])))),
            Field(
                "nextCursor", .structure(cursor), nullable: "0+", default: "nil",
                about: "Where the next page begins; null if this is the last."),
        ])

    private static let cursor = Structure(
        "Cursor", "Where a page begins.",
        [
            Field("topicName", .string),
            Field("partitionIndex", .int32),
        ])

    private static let partition = Structure(
        "DescribeTopicPartitionsResponsePartition", "One partition.",
        [
            Field("errorCode", .errorCode),
            Field("partitionIndex", .int32),
            Field("leaderId", .int32),
            Field("leaderEpoch", .int32, default: "-1", ignorable: true, about: leaderEpochMeaning),
            Field("replicaNodes", .array(.int32), about: "Ids of the brokers that have a replica."),
            Field("isrNodes", .array(.int32), about: "Those whose replica is in sync."),
            Field(
                "eligibleLeaderReplicas", .array(.int32), nullable: "0+", default: "nil",
                about: "Those that may lead though they are not in sync; null if the cluster does not track them."),
            Field(
                "lastKnownElr", .array(.int32), nullable: "0+", default: "nil",
                about: "The last ones that might; null if the cluster does not track them."),
            Field("offlineReplicas", .array(.int32), ignorable: true),
        ])
}
