// Fetch (key 1): up to version 3 the broker answers with message sets, from version 4 on with record batches; version 7
// brought fetch sessions (KIP-227), version 12 the flexible encoding and the tagged fields of KIP-595.

extension API {
    static let fetch = API("fetch", key: 1, versions: "0-12", flexibleFrom: 12)
}

extension MessageSchema {
    static let fetchRequest = API.fetch.request(
        "Asks for records from given offsets on, and waits until there are enough.",
        [
            Field(
                "clusterId", .string, "12+", nullable: "12+", default: "nil", ignorable: true, tag: 0,
                about: "The cluster the fetcher believes it talks to, if it knows."),
            Field("replicaId", .int32, default: "-1", about: replicaMeaning),
            Field("maxWaitMs", .int32, about: "How long to wait for `minBytes`, in milliseconds."),
            Field("minBytes", .int32, about: "Answer as soon as there are this many bytes."),
            Field(
                "maxBytes", .int32, "3+", default: "Int32.max", ignorable: true,
                about: "Bytes of records in the whole response; the first batch comes however large it is."),
            Field("isolationLevel", .int8, "4+", ignorable: true, about: isolationLevelMeaning),
            Field("sessionId", .int32, "7+", ignorable: true, about: "The fetch session; 0 for none or for a new one."),
            Field(
                "sessionEpoch", .int32, "7+", default: "-1", ignorable: true,
                about: "The place in the session; 0 opens one, -1 is a full fetch outside any."),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "FetchTopic", "The partitions of one topic to fetch from.",
                            [
                                Field("topic", .string),
                                Field("partitions", .array(.structure(partition))),
                            ])))),
            Field(
                "forgottenTopicsData",
                .array(
                    .structure(
                        Structure(
                            "ForgottenTopic", "Partitions to take out of the fetch session.",
                            [
                                Field("topic", .string, "7+"),
                                Field("partitions", .array(.int32), "7+"),
                            ]))), "7+"),
            Field("rackId", .string, "11+", ignorable: true, about: "The consumer's rack; empty if it has none."),
        ])

    private static let partition = Structure(
        "FetchPartition", "Where to read one partition from.",
        [
            Field("partition", .int32),
            Field("currentLeaderEpoch", .int32, "9+", default: "-1", ignorable: true, about: currentLeaderEpochMeaning),
            Field("fetchOffset", .int64, about: "The first offset wanted."),
            Field(
                "lastFetchedEpoch", .int32, "12+", default: "-1",
                about: "The epoch of the last record fetched; -1 if none."),
            Field(
                "logStartOffset", .int64, "5+", default: "-1", ignorable: true,
                about: "The follower's; -1 for a client."),
            Field("partitionMaxBytes", .int32, about: "Bytes of records from this partition."),
        ])

    static let fetchResponse = API.fetch.response(
        "Records.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode, "7+", ignorable: true, about: "An error of the fetch session."),
            Field("sessionId", .int32, "7+", about: "The fetch session; 0 if there is none."),
            Field(
                "responses",
                .array(
                    .structure(
                        Structure(
                            "FetchableTopicResponse", "The records of one topic.",
                            [
                                Field("topic", .string),
                                Field("partitions", .array(.structure(partitionData))),
                            ])))),
        ])

    private static let partitionData = Structure(
        "PartitionData", "The records of one partition.",
        [
            Field("partitionIndex", .int32),
            Field("errorCode", .errorCode),
            Field("highWatermark", .int64),
            Field("lastStableOffset", .int64, "4+", default: "-1", ignorable: true, about: "All before it is decided."),
            Field("logStartOffset", .int64, "5+", default: "-1", ignorable: true),
            Field(
                "divergingEpoch",
                .structure(
                    Structure(
                        "EpochEndOffset", "The largest epoch, and its end, that the fetcher's log may agree on.",
                        [
                            Field("epoch", .int32, "12+", default: "-1"),
                            Field("endOffset", .int64, "12+", default: "-1"),
                        ])), "12+", tag: 0),
            Field(
                "currentLeader",
                .structure(
                    Structure(
                        "LeaderIdAndEpoch", "Who leads the partition now.",
                        [
                            Field("leaderId", .int32, "12+", default: "-1"),
                            Field("leaderEpoch", .int32, "12+", default: "-1"),
                        ])), "12+", tag: 1),
            Field(
                "snapshotId",
                .structure(
                    Structure(
                        "SnapshotId", "The snapshot to fetch instead, where the log no longer has the offset.",
                        [
                            Field("endOffset", .int64, default: "-1"),
                            Field("epoch", .int32, default: "-1"),
                        ])), "12+", tag: 2),
            Field(
                "abortedTransactions",
                .array(
                    .structure(
                        Structure(
                            "AbortedTransaction", "A transaction whose records are to be left out.",
                            [
                                Field("producerId", .int64, "4+"),
                                Field("firstOffset", .int64, "4+"),
                            ]))), "4+", nullable: "4+", ignorable: true),
            Field(
                "preferredReadReplica", .int32, "11+", default: "-1",
                about: "A nearer replica to read from; -1 for none."),
            Field("records", .records, nullable: "0+", about: "Record batches; the last one may be cut off."),
        ])
}
