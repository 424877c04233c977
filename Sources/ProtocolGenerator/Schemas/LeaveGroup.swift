// LeaveGroup (key 13): one member up to version 2, several at once from version 3 on (KIP-345).

extension API {
    static let leaveGroup = API("leaveGroup", key: 13, versions: "0-4", flexibleFrom: 4)
}

extension MessageSchema {
    static let leaveGroupRequest = API.leaveGroup.request(
        "Takes members out of a group.",
        [
            Field("groupId", .string),
            Field("memberId", .string, "0-2", about: memberMeaning),
            Field(
                "members",
                .array(
                    .structure(
                        Structure(
                            "MemberIdentity", "A member that leaves.",
                            [
                                Field("memberId", .string, "3+", about: memberMeaning),
                                Field(
                                    "groupInstanceId", .string, "3+", nullable: "3+", default: "nil",
                                    about: groupInstanceMeaning),
                            ]))), "3+"),
        ])

    static let leaveGroupResponse = API.leaveGroup.response(
        "Whether the members have left.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field(
                "members",
                .array(
                    .structure(
                        Structure(
                            "MemberResponse", "Whether one member has left.",
                            [
                                Field("memberId", .string, "3+"),
                                Field("groupInstanceId", .string, "3+", nullable: "3+", about: groupInstanceMeaning),
                                Field("errorCode", .errorCode, "3+"),
                            ]))), "3+"),
        ])
}
