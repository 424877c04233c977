// AlterConfigs (key 33): replaces all settings of a resource. IncrementalAlterConfigs (key 44, KIP-339): changes single
// ones.

extension API {
    static let alterConfigs = API("alterConfigs", key: 33, versions: "0-2", flexibleFrom: 2)
    static let incrementalAlterConfigs = API("incrementalAlterConfigs", key: 44, versions: "0-1", flexibleFrom: 1)
}

extension MessageSchema {
    static let alterConfigsRequest = API.alterConfigs.request(
        "Replaces all settings of resources; those not named go back to their defaults.",
        [
            resources(of: [
                Field("name", .string),
                Field("value", .string, nullable: "0+"),
            ]),
            Field("validateOnly", .bool, about: "Check only; change nothing."),
        ])

    static let alterConfigsResponse = API.alterConfigs.response("Whether the settings were replaced.", responses)

    static let incrementalAlterConfigsRequest = API.incrementalAlterConfigs.request(
        "Changes single settings of resources.",
        [
            resources(of: [
                Field("name", .string),
                Field(
                    "configOperation", .int8,
                    about: "0 sets the value, 1 goes back to the default, 2 appends to a list, 3 takes from a list."),
                Field("value", .string, nullable: "0+"),
            ]),
            Field("validateOnly", .bool, about: "Check only; change nothing."),
        ])

    static let incrementalAlterConfigsResponse = API.incrementalAlterConfigs.response(
        "Whether the settings were changed.", responses)

    private static func resources(of config: [Field]) -> Field {
        Field(
            "resources",
            .array(
                .structure(
                    Structure(
                        "AlterConfigsResource", "The settings of one resource.",
                        [
                            Field("resourceType", .int8, about: resourceTypeMeaning),
                            Field("resourceName", .string, about: resourceNameMeaning),
                            Field("configs", .array(.structure(Structure("AlterableConfig", "One setting.", config)))),
                        ]))))
    }

    private static let responses = [
        Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
        Field(
            "responses",
            .array(
                .structure(
                    Structure(
                        "AlterConfigsResourceResponse", "Whether one resource's settings were changed.",
                        [
                            Field("errorCode", .errorCode),
                            Field("errorMessage", .string, nullable: "0+", default: "nil"),
                            Field("resourceType", .int8, about: resourceTypeMeaning),
                            Field("resourceName", .string, about: resourceNameMeaning),
                        ])))),
    ]
}
