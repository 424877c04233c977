// DeleteGroups (key 42): versions 0 to 2 differ in their encoding only.

extension API {
    static let deleteGroups = API("deleteGroups", key: 42, versions: "0-2", flexibleFrom: 2)
}

extension MessageSchema {
    static let deleteGroupsRequest = API.deleteGroups.request(
        "Deletes groups that have no members, with their offsets.",
        [
            Field("groupsNames", .array(.string), about: "The group ids.")
        ])

    static let deleteGroupsResponse = API.deleteGroups.response(
        "Whether the groups were deleted.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "results",
                .array(
                    .structure(
                        Structure(
                            "DeletableGroupResult", "Whether one group was deleted.",
                            [
                                Field("groupId", .string),
                                Field("errorCode", .errorCode),
                            ])))),
        ])
}
