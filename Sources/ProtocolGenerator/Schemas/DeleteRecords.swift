// DeleteRecords (key 21, KIP-107): versions 0 to 2 differ in their encoding only.

extension API {
    static let deleteRecords = API("deleteRecords", key: 21, versions: "0-2", flexibleFrom: 2)
}

extension MessageSchema {
    static let deleteRecordsRequest = API.deleteRecords.request(
        "Deletes the records before an offset.",
        [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "DeleteRecordsTopic", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "DeleteRecordsPartition", "Where one partition is to begin.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field(
                                                        "offset", .int64,
                                                        about: "The first offset to keep; -1 for the high watermark."),
                                                ])))),
                            ])))),
            Field("timeoutMs", .int32, about: "How long to wait for the deletion, in milliseconds."),
        ])

    static let deleteRecordsResponse = API.deleteRecords.response(
        "Where the partitions begin now.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "DeleteRecordsTopicResult", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "DeleteRecordsPartitionResult", "Where one partition begins now.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field(
                                                        "lowWatermark", .int64,
                                                        about: "The log start offset; -1 after an error."),
                                                    Field("errorCode", .errorCode),
                                                ])))),
                            ])))),
        ])
}
