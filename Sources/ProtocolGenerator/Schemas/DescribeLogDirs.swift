// DescribeLogDirs (key 35, KIP-113): version 3 has an error for the whole request, version 4 (KIP-827) the volume's size.

extension API {
    static let describeLogDirs = API("describeLogDirs", key: 35, versions: "0-4", flexibleFrom: 2)
}

extension MessageSchema {
    static let describeLogDirsRequest = API.describeLogDirs.request(
        "Asks how much disk partitions take.",
        [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "DescribableLogDirTopic", "The partitions of one topic.",
                            [
                                Field("topic", .string),
                                Field("partitions", .array(.int32)),
                            ]))), nullable: "0+", about: "The topics asked for; null for all.")
        ])

    static let describeLogDirsResponse = API.describeLogDirs.response(
        "The data directories and what is in them.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field("errorCode", .errorCode, "3+", ignorable: true),
            Field(
                "results",
                .array(
                    .structure(
                        Structure(
                            "DescribeLogDirsResult", "One data directory.",
                            [
                                Field("errorCode", .errorCode),
                                Field("logDir", .string, about: "The absolute path."),
                                Field("topics", .array(.structure(topic))),
                                Field(
                                    "totalBytes", .int64, "4+", default: "-1", ignorable: true,
                                    about: "The size of the directory's volume; -1 if unknown."),
                                Field(
                                    "usableBytes", .int64, "4+", default: "-1", ignorable: true,
                                    about: "What the volume has left for us; -1 if unknown."),
                            ])))),
        ])

    private static let topic = Structure(
        "DescribeLogDirsTopic", "The partitions of one topic.",
        [
            Field("name", .string),
            Field(
                "partitions",
                .array(
                    .structure(
                        Structure(
                            "DescribeLogDirsPartition", "The log of one partition.",
                            [
                                Field("partitionIndex", .int32),
                                Field("partitionSize", .int64, about: "Bytes of its segments."),
                                Field(
                                    "offsetLag", .int64,
                                    about: "How many offsets the log is behind the high watermark."),
                                Field(
                                    "isFutureKey", .bool, about: "Whether the log is a copy that is still being made."),
                            ])))),
        ])
}
