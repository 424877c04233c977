// ListGroups (key 16).

extension API {
    static let listGroups = API("listGroups", key: 16, versions: "0-4", flexibleFrom: 3)
}

extension MessageSchema {
    static let listGroupsRequest = API.listGroups.request(
        "Asks for the groups this broker coordinates.",
        [
            Field("statesFilter", .array(.string), "4+", about: "Only groups in these states; empty for all.")
        ])

    static let listGroupsResponse = API.listGroups.response(
        "The groups this broker coordinates.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field(
                "groups",
                .array(
                    .structure(
                        Structure(
                            "ListedGroup", "One group.",
                            [
                                Field("groupId", .string),
                                Field("protocolType", .string),
                                Field("groupState", .string, "4+", ignorable: true),
                            ])))),
        ])
}
