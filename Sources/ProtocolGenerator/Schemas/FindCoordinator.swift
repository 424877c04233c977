// FindCoordinator (key 10): version 1 added transactions beside groups, version 4 (KIP-699) many keys at once, in
// fields of their own.

extension API {
    static let findCoordinator = API("findCoordinator", key: 10, versions: "0-4", flexibleFrom: 3)
}

extension MessageSchema {
    static let findCoordinatorRequest = API.findCoordinator.request(
        "Asks which broker coordinates a group or a transactional id.",
        [
            Field("key", .string, "0-3", about: "The group or transactional id."),
            Field("keyType", .int8, "1+", about: "0 for a group, 1 for a transactional id."),
            Field("coordinatorKeys", .array(.string), "4+", about: "The group or transactional ids."),
        ])

    static let findCoordinatorResponse = API.findCoordinator.response(
        "The coordinators.",
        [
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field("errorCode", .errorCode, "0-3"),
            Field("errorMessage", .string, "1-3", nullable: "1-3", ignorable: true),
            Field("nodeId", .int32, "0-3"),
            Field("host", .string, "0-3"),
            Field("port", .int32, "0-3"),
            Field(
                "coordinators",
                .array(
                    .structure(
                        Structure(
                            "Coordinator", "The coordinator of one key.",
                            [
                                Field("key", .string, "4+"),
                                Field("nodeId", .int32, "4+"),
                                Field("host", .string, "4+"),
                                Field("port", .int32, "4+"),
                                Field("errorCode", .errorCode, "4+"),
                                Field("errorMessage", .string, "4+", nullable: "4+", ignorable: true),
                            ]))), "4+"),
        ])
}
