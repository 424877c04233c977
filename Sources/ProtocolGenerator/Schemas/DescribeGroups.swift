// DescribeGroups (key 15).

extension API {
    static let describeGroups = API("describeGroups", key: 15, versions: "0-5", flexibleFrom: 5)
}

extension MessageSchema {
    static let describeGroupsRequest = API.describeGroups.request(
        "Asks for groups with their members.",
        [
            Field("groups", .array(.string), about: "The group ids."),
            Field("includeAuthorizedOperations", .bool, "3+"),
        ])

    static let describeGroupsResponse = API.describeGroups.response(
        "Groups with their members.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "groups",
                .array(
                    .structure(
                        Structure(
                            "DescribedGroup", "One group.",
                            [
                                Field("errorCode", .errorCode),
                                Field("groupId", .string),
                                Field("groupState", .string, about: "`Stable`, `Empty`, `PreparingRebalance`, …"),
                                Field("protocolType", .string, about: "`consumer` for consumers."),
                                Field("protocolData", .string, about: "The assignor in use."),
                                Field("members", .array(.structure(member))),
                                Field(
                                    "authorizedOperations", .int32, "3+", default: "Int32.min", ignorable: true,
                                    about: authorizedOperationsMeaning),
                            ])))),
        ])

    private static let member = Structure(
        "DescribedGroupMember", "A member and what it consumes.",
        [
            Field("memberId", .string),
            Field(
                "groupInstanceId", .string, "4+", nullable: "4+", default: "nil", ignorable: true,
                about: groupInstanceMeaning),
            Field("clientId", .string),
            Field("clientHost", .string),
            Field("memberMetadata", .bytes, about: "For consumers a `ConsumerProtocolSubscription`."),
            Field("memberAssignment", .bytes, about: "For consumers a `ConsumerProtocolAssignment`."),
        ])
}
