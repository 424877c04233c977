// OffsetFetch (key 9): one group up to version 7, several from version 8 on (KIP-709), in fields of their own.

extension API {
    static let offsetFetch = API("offsetFetch", key: 9, versions: "0-8", flexibleFrom: 6)
}

extension MessageSchema {
    static let offsetFetchRequest = API.offsetFetch.request(
        "Asks how far groups have consumed.",
        [
            Field("groupId", .string, "0-7"),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetFetchRequestTopic", "The partitions of one topic.",
                            [
                                Field("name", .string, "0-7"),
                                Field("partitionIndexes", .array(.int32), "0-7"),
                            ]))), "0-7", nullable: "2-7", about: "The topics asked for; null for all that have offsets."
            ),
            Field(
                "groups",
                .array(
                    .structure(
                        Structure(
                            "OffsetFetchRequestGroup", "The question for one group.",
                            [
                                Field("groupId", .string, "8+"),
                                Field(
                                    "topics",
                                    .array(
                                        .structure(
                                            Structure(
                                                "OffsetFetchRequestTopics", "The partitions of one topic.",
                                                [
                                                    Field("name", .string, "8+"),
                                                    Field("partitionIndexes", .array(.int32), "8+"),
                                                ]))), "8+", nullable: "8+",
                                    about: "The topics asked for; null for all that have offsets."),
                            ]))), "8+"),
            Field("requireStable", .bool, "7+", about: "Refuse offsets that a transaction is about to change."),
        ])

    static let offsetFetchResponse = API.offsetFetch.response(
        "How far groups have consumed.",
        [
            Field("throttleTimeMs", .int32, "3+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetFetchResponseTopic", "The offsets of one topic.",
                            [
                                Field("name", .string, "0-7"),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            partition(
                                                "OffsetFetchResponsePartition", versions: "0-7", leaderEpoch: "5-7"))),
                                    "0-7"),
                            ]))), "0-7"),
            Field("errorCode", .errorCode, "2-7", ignorable: true),
            Field(
                "groups",
                .array(
                    .structure(
                        Structure(
                            "OffsetFetchResponseGroup", "The offsets of one group.",
                            [
                                Field("groupId", .string, "8+"),
                                Field("topics", .array(.structure(topicOfGroup)), "8+"),
                                Field("errorCode", .errorCode, "8+"),
                            ]))), "8+"),
        ])

    private static let topicOfGroup = Structure(
        "OffsetFetchResponseTopics", "The offsets of one topic.",
        [
            Field("name", .string, "8+"),
            Field(
                "partitions",
                .array(.structure(partition("OffsetFetchResponsePartitions", versions: "8+", leaderEpoch: "8+"))),
                "8+"),
        ])

    private static func partition(_ name: String, versions: VersionRange, leaderEpoch: VersionRange) -> Structure {
        Structure(
            name, "The offset of one partition.",
            [
                Field("partitionIndex", .int32, versions),
                Field("committedOffset", .int64, versions, about: "The next offset to consume; -1 if none is stored."),
                Field(
                    "committedLeaderEpoch", .int32, leaderEpoch, default: "-1", ignorable: true,
                    about: leaderEpochMeaning),
                Field("metadata", .string, versions, nullable: versions, about: "Text of the consumer's own."),
                Field("errorCode", .errorCode, versions),
            ])
    }
}
