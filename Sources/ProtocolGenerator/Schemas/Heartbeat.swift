// Heartbeat (key 12): keeps a member in its group and tells it of a rebalance.

extension API {
    static let heartbeat = API("heartbeat", key: 12, versions: "0-4", flexibleFrom: 4)
}

extension MessageSchema {
    static let heartbeatRequest = API.heartbeat.request(
        "Tells the coordinator that the member is alive.",
        [
            Field("groupId", .string),
            Field("generationId", .int32, about: generationMeaning),
            Field("memberId", .string, about: memberMeaning),
            Field("groupInstanceId", .string, "3+", nullable: "3+", default: "nil", about: groupInstanceMeaning),
        ])

    static let heartbeatResponse = API.heartbeat.response(
        "Tells the member whether to go on or to join again.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
        ])
}
