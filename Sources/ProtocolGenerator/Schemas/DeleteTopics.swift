// DeleteTopics (key 20): by name up to version 5, by name or id from version 6 on (KIP-516).

extension API {
    static let deleteTopics = API("deleteTopics", key: 20, versions: "0-6", flexibleFrom: 4)
}

extension MessageSchema {
    static let deleteTopicsRequest = API.deleteTopics.request(
        "Deletes topics.",
        [
            Field(
                "topics",
                .array(
                    .structure(
                        Structure(
                            "DeleteTopicState", "A topic to delete, by name or by id.",
                            [
                                Field("name", .string, "6+", nullable: "6+", default: "nil", about: "Null if by id."),
                                Field("topicId", .uuid, "6+", about: "Zero if by name."),
                            ]))), "6+"),
            Field("topicNames", .array(.string), "0-5", ignorable: true),
            Field("timeoutMs", .int32, about: "How long to wait for the deletion, in milliseconds."),
        ])

    static let deleteTopicsResponse = API.deleteTopics.response(
        "Whether the topics were deleted.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "responses",
                .array(
                    .structure(
                        Structure(
                            "DeletableTopicResult", "Whether one topic was deleted.",
                            [
                                Field("name", .string, nullable: "6+"),
                                Field("topicId", .uuid, "6+", ignorable: true),
                                Field("errorCode", .errorCode),
                                Field("errorMessage", .string, "5+", nullable: "5+", default: "nil", ignorable: true),
                            ])))),
        ])
}
