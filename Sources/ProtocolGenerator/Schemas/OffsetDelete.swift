// OffsetDelete (key 47, KIP-496): the only version is not flexible.

extension API {
    static let offsetDelete = API("offsetDelete", key: 47, versions: "0", flexibleFrom: nil)
}

extension MessageSchema {
    static let offsetDeleteRequest = API.offsetDelete.request(
        "Deletes committed offsets of partitions that the group does not consume.",
        [
            Field("groupId", .string),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetDeleteRequestTopic", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "OffsetDeleteRequestPartition", "One partition.",
                                                [Field("partitionIndex", .int32)])))),
                            ])))),
        ])

    static let offsetDeleteResponse = API.offsetDelete.response(
        "Whether the offsets were deleted.",
        [
            Field("errorCode", .errorCode, about: "The error of the whole request."),
            Field("throttleTimeMs", .int32, ignorable: true, about: throttleTimeMeaning),
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "OffsetDeleteResponseTopic", "The partitions of one topic.",
                            [
                                Field("name", .string),
                                Field(
                                    "partitions",
                                    .array(
                                        .structure(
                                            Structure(
                                                "OffsetDeleteResponsePartition", "Whether one offset was deleted.",
                                                [
                                                    Field("partitionIndex", .int32),
                                                    Field("errorCode", .errorCode),
                                                ])))),
                            ])))),
        ])
}
