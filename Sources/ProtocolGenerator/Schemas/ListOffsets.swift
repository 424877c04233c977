// ListOffsets (key 2): version 0 answers with a list of segment base offsets, later ones with one offset and its
// timestamp. The timestamp -1 asks for the log end offset, -2 for the log start offset, -3 (version 7) for the record
// with the largest timestamp.

extension API {
    static let listOffsets = API("listOffsets", key: 2, versions: "0-7", flexibleFrom: 6)
}

extension MessageSchema {
    static let listOffsetsRequest = API.listOffsets.request(
        "Asks for the first offset at or after a time.",
        [
            Field("replicaId", .int32, default: "-1", about: replicaMeaning),
            Field("isolationLevel", .int8, "2+", about: isolationLevelMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "ListOffsetsTopic", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "ListOffsetsPartition", "The question for one partition.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field(
                                                        "currentLeaderEpoch", .int32, "4+", default: "-1",
                                                        ignorable: true, about: currentLeaderEpochMeaning),
                                                    Field(
                                                        "timestamp", .int64,
                                                        about:
                                                            "Milliseconds since the epoch, or -1 (end), -2 (start), -3 (largest)."
                                                    ),
                                                    Field(
                                                        "maxNumOffsets", .int32, "0", default: "1", ignorable: true,
                                                        about: "The most offsets to answer with."),
                                                ])))),
                            ])))),
        ])

    static let listOffsetsResponse = API.listOffsets.response(
        "Offsets.",
        [
            Field("throttleTimeMs", .int32, "2+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "ListOffsetsTopicResponse", "The answers for one topic.",
                            [
                                Field("name", .string),
                                Field("partitions", .array(.structure(partition))),
                            ])))),
        ])

    private static let partition = Structure(
        "ListOffsetsPartitionResponse", "The answer for one partition.",
        [
            Field("partitionIndex", .int32),
            Field("errorCode", .errorCode),
            Field("oldStyleOffsets", .array(.int64), "0", about: "Segment base offsets, newest first."),
            Field("timestamp", .int64, "1+", default: "-1", about: "The found record's time; -1 for none."),
            Field("offset", .int64, "1+", default: "-1", about: "The offset found; -1 for none."),
            Field("leaderEpoch", .int32, "4+", default: "-1", ignorable: true, about: leaderEpochMeaning),
        ])
}
