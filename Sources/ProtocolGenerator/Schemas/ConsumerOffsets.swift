// The records of the topic `__consumer_offsets`. The version in front of a key also tells what the record is: 0 and 1
// are committed offsets, 2 is a group.

extension MessageSchema {
    static let offsetCommitKey = MessageSchema(
        .data, "OffsetCommitKey", "0-1",
        "The key of a committed offset.",
        [
            Field("group", .string),
            Field("topic", .string),
            Field("partition", .int32),
        ])

    static let offsetCommitValue = MessageSchema(
        .data, "OffsetCommitValue", "0-3",
        "A committed offset.",
        [
            Field("offset", .int64, about: "The next offset to consume."),
            Field("leaderEpoch", .int32, "3+", default: "-1", ignorable: true, about: leaderEpochMeaning),
            Field("metadata", .string, about: "Text of the consumer's own."),
            Field("commitTimestamp", .int64, about: "Milliseconds since the epoch."),
            Field(
                "expireTimestamp", .int64, "1", default: "-1", ignorable: true,
                about: "Milliseconds since the epoch; -1 for none."),
        ])

    static let groupMetadataKey = MessageSchema(
        .data, "GroupMetadataKey", "2",
        "The key of a group.",
        [
            Field("group", .string, "2")
        ])

    static let groupMetadataValue = MessageSchema(
        .data, "GroupMetadataValue", "0-3",
        "A group: its generation and its members with their assignments.",
        [
            Field("protocolType", .string),
            Field("generation", .int32, about: generationMeaning),
            Field("protocol", .string, nullable: "0+", about: "The assignor in use."),
            Field("leader", .string, nullable: "0+", about: "The leader's member id."),
            Field(
                "currentStateTimestamp", .int64, "2+", default: "-1", ignorable: true,
                about: "Since when the group is as it is; milliseconds since the epoch."),
            Field("members", .array(.structure(member))),
        ])

    private static let member = Structure(
        "MemberMetadata", "A member and its assignment.",
        [
            Field("memberId", .string),
            Field(
                "groupInstanceId", .string, "3+", nullable: "3+", default: "nil", ignorable: true,
                about: groupInstanceMeaning),
            Field("clientId", .string),
            Field("clientHost", .string),
            Field("rebalanceTimeout", .int32, "1+", default: "-1", ignorable: true, about: "Milliseconds."),
            Field("sessionTimeout", .int32, about: "Milliseconds."),
            Field("subscription", .bytes, about: "A `ConsumerProtocolSubscription`."),
            Field("assignment", .bytes, about: "A `ConsumerProtocolAssignment`."),
        ])
}
