// JoinGroup (key 11): from version 4 on a new member is first given an id and joins again with it (KIP-394).

extension API {
    static let joinGroup = API("joinGroup", key: 11, versions: "0-7", flexibleFrom: 6)
}

extension MessageSchema {
    static let joinGroupRequest = API.joinGroup.request(
        "Joins a group, or joins it again in a rebalance.",
        [
            Field("groupId", .string),
            Field("sessionTimeoutMs", .int32, about: "A member silent for this long is put out; milliseconds."),
            Field(
                "rebalanceTimeoutMs", .int32, "1+", default: "-1", ignorable: true,
                about: "How long the others may take to join again; milliseconds. Version 0 takes the session timeout."),
            Field("memberId", .string, about: "The member's id; empty the first time."),
            Field("groupInstanceId", .string, "5+", nullable: "5+", default: "nil", about: groupInstanceMeaning),
            Field("protocolType", .string, about: "What the members have in common: `consumer` for consumers."),
            Field(
                "protocols",
                .array(
                    .structure(
                        Structure(
                            "JoinGroupRequestProtocol", "An assignor that the member supports.",
                            [
                                Field("name", .string),
                                Field("metadata", .bytes, about: "For consumers a `ConsumerProtocolSubscription`."),
                            ]))), about: "In the member's order of preference."),
        ])

    static let joinGroupResponse = API.joinGroup.response(
        "The new generation; its leader also learns of all members.",
        [
            Field("throttleTimeMs", .int32, "2+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field("generationId", .int32, default: "-1", about: generationMeaning),
            Field("protocolType", .string, "7+", nullable: "7+", default: "nil", ignorable: true),
            Field("protocolName", .string, nullable: "7+", about: "The assignor chosen."),
            Field("leader", .string, about: "The member id of the leader."),
            Field("memberId", .string, about: memberMeaning),
            Field(
                "members",
                .array(
                    .structure(
                        Structure(
                            "JoinGroupResponseMember", "A member, for the leader.",
                            [
                                Field("memberId", .string),
                                Field(
                                    "groupInstanceId", .string, "5+", nullable: "5+", default: "nil", ignorable: true,
                                    about: groupInstanceMeaning),
                                Field("metadata", .bytes, about: "What the member sent for the chosen assignor."),
                            ]))), about: "Empty for all but the leader."),
        ])
}
