// OffsetForLeaderEpoch (key 23, KIP-101, KIP-320): tells a client that has read past a truncation.

extension API {
    static let offsetForLeaderEpoch = API("offsetForLeaderEpoch", key: 23, versions: "0-4", flexibleFrom: 4)
}

extension MessageSchema {
    static let offsetForLeaderEpochRequest = API.offsetForLeaderEpoch.request(
        "Asks where leader epochs end.",
        [
            Field("replicaId", .int32, "3+", default: "-2", ignorable: true, about: replicaMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetForLeaderTopic", "The partitions of one topic.",
                            [
                                Field("topic", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "OffsetForLeaderPartition", "The question for one partition.",
                                                [
                                                    Field("partition", .int32),
                                                    Field(
                                                        "currentLeaderEpoch", .int32, "2+", default: "-1",
                                                        ignorable: true, about: currentLeaderEpochMeaning),
                                                    Field("leaderEpoch", .int32, about: "The epoch asked about."),
                                                ])))),
                            ])))),
        ])

    static let offsetForLeaderEpochResponse = API.offsetForLeaderEpoch.response(
        "Where leader epochs end.",
        [
            Field("throttleTimeMs", .int32, "2+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetForLeaderTopicResult", "The partitions of one topic.",
                            [
                                Field("topic", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "EpochEndOffset", "Where an epoch ends in one partition.",
                                                [
                                                    Field("errorCode", .errorCode),
                                                    Field("partition", .int32),
                                                    Field(
                                                        "leaderEpoch", .int32, "1+", default: "-1", ignorable: true,
                                                        about: """
                                                            The largest epoch up to the one asked about; \
                                                            -1 if there is none.
                                                            """),
                                                    Field(
                                                        "endOffset", .int64, default: "-1",
                                                        about: "The offset after the epoch's last; -1 if unknown."),
                                                ])))),
                            ])))),
        ])
}
