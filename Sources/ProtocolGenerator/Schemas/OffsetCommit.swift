// OffsetCommit (key 8): version 0 once wrote to ZooKeeper; here it is a commit without a member.

extension API {
    static let offsetCommit = API("offsetCommit", key: 8, versions: "0-8", flexibleFrom: 8)
}

extension MessageSchema {
    static let offsetCommitRequest = API.offsetCommit.request(
        "Stores how far a group has consumed.",
        [
            Field("groupId", .string),
            Field(
                "generationIdOrMemberEpoch", .int32, "1+", default: "-1", ignorable: true,
                about: "The group's generation; -1 for a group without members."),
            Field("memberId", .string, "1+", ignorable: true, about: memberMeaning),
            Field("groupInstanceId", .string, "7+", nullable: "7+", default: "nil", about: groupInstanceMeaning),
            Field(
                "retentionTimeMs", .int64, "2-4", default: "-1", ignorable: true,
                about: "How long to keep the offsets, in milliseconds; -1 for the broker's default."),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetCommitRequestTopic", "The offsets of one topic.",
                            [
                                Field("name", .string),
                                Field("partitions", .array(.structure(partition))),
                            ])))),
        ])

    private static let partition = Structure(
        "OffsetCommitRequestPartition", "The offset of one partition.",
        [
            Field("partitionIndex", .int32),
            Field("committedOffset", .int64, about: "The next offset to consume."),
            Field("committedLeaderEpoch", .int32, "6+", default: "-1", ignorable: true, about: leaderEpochMeaning),
            Field("commitTimestamp", .int64, "1", default: "-1", ignorable: true, about: "Milliseconds; -1 for now."),
            Field("committedMetadata", .string, nullable: "0+", about: "Text of the consumer's own."),
        ])

    static let offsetCommitResponse = API.offsetCommit.response(
        "Whether the offsets are stored.",
        [
            Field("throttleTimeMs", .int32, "3+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetCommitResponseTopic", "The results for one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "OffsetCommitResponsePartition", "The result for one partition.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field("errorCode", .errorCode),
                                                ])))),
                            ])))),
        ])
}
