// The consumer protocol: what consumers put into the opaque bytes of JoinGroup and SyncGroup. A reader takes a version
// newer than it knows for the newest it knows, since versions only append fields.

extension MessageSchema {
    static let consumerProtocolSubscription = MessageSchema(
        .data, "ConsumerProtocolSubscription", "0-3",
        "What a consumer wants: its topics, and what it owns already.",
        [
            Field("topics", .array(.string)),
            Field("userData", .bytes, nullable: "0+", default: "nil", about: userDataMeaning),
            Field(
                "ownedPartitions", .array(.structure(partitions("The partitions of one topic that a member owns."))),
                "1+", ignorable: true),
            Field("generationId", .int32, "2+", default: "-1", ignorable: true, about: generationMeaning),
            Field("rackId", .string, "3+", nullable: "3+", default: "nil", ignorable: true),
        ])

    static let consumerProtocolAssignment = MessageSchema(
        .data, "ConsumerProtocolAssignment", "0-3",
        "What a consumer gets.",
        [
            Field(
                "assignedPartitions",
                .array(.structure(partitions("The partitions of one topic that a member is given.")))),
            Field("userData", .bytes, nullable: "0+", default: "nil", about: userDataMeaning),
        ])

    private static func partitions(_ about: String) -> Structure {
        Structure(
            "TopicPartition", about,
            [
                Field("topic", .string),
                Field("partitions", .array(.int32)),
            ])
    }
}
