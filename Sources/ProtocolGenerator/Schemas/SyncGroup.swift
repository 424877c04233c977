// SyncGroup (key 14): the leader hands in the assignment, and everybody gets his own.

extension API {
    static let syncGroup = API("syncGroup", key: 14, versions: "0-5", flexibleFrom: 4)
}

extension MessageSchema {
    static let syncGroupRequest = API.syncGroup.request(
        "Asks for the member's assignment; the leader's request carries everybody's.",
        [
            Field("groupId", .string),
            Field("generationId", .int32, about: generationMeaning),
            Field("memberId", .string, about: memberMeaning),
            Field("groupInstanceId", .string, "3+", nullable: "3+", default: "nil", about: groupInstanceMeaning),
            Field("protocolType", .string, "5+", nullable: "5+", default: "nil", ignorable: true),
            Field("protocolName", .string, "5+", nullable: "5+", default: "nil", ignorable: true),
            Field(
                "assignments",
                .array(
                    .structure(
                        Structure(
                            "SyncGroupRequestAssignment", "One member's assignment.",
                            [
                                Field("memberId", .string),
                                Field("assignment", .bytes, about: "For consumers a `ConsumerProtocolAssignment`."),
                            ]))), about: "Empty for all but the leader."),
        ])

    static let syncGroupResponse = API.syncGroup.response(
        "The member's assignment.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field("protocolType", .string, "5+", nullable: "5+", default: "nil", ignorable: true),
            Field("protocolName", .string, "5+", nullable: "5+", default: "nil", ignorable: true),
            Field("assignment", .bytes, about: "For consumers a `ConsumerProtocolAssignment`."),
        ])
}
