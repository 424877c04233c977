// DescribeConfigs (key 32): version 1 (KIP-226) tells where a setting comes from instead of whether it is the default,
// version 3 (KIP-569) adds types and documentation.

extension API {
    static let describeConfigs = API("describeConfigs", key: 32, versions: "0-4", flexibleFrom: 4)
}

extension MessageSchema {
    static let describeConfigsRequest = API.describeConfigs.request(
        "Asks for the settings of topics and brokers.",
        [
            Field(
                "resources",
                .array(
                    .structure(
                        Structure(
                            "DescribeConfigsResource", "What to describe.",
                            [
                                Field("resourceType", .int8, about: resourceTypeMeaning),
                                Field("resourceName", .string, about: resourceNameMeaning),
                                Field(
                                    "configurationKeys", .array(.string), nullable: "0+", default: "nil",
                                    about: "The names of the settings asked for; null for all."),
                            ])))),
            Field("includeSynonyms", .bool, "1+"),
            Field("includeDocumentation", .bool, "3+"),
        ])

    static let describeConfigsResponse = API.describeConfigs.response(
        "The settings of topics and brokers.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field(
                "results",
                .array(
                    .structure(
                        Structure(
                            "DescribeConfigsResult", "The settings of one resource.",
                            [
                                Field("errorCode", .errorCode),
                                Field("errorMessage", .string, nullable: "0+", default: "nil"),
                                Field("resourceType", .int8, about: resourceTypeMeaning),
                                Field("resourceName", .string, about: resourceNameMeaning),
                                Field("configs", .array(.structure(config))),
                            ])))),
        ])

    private static let config = Structure(
        "DescribeConfigsResourceResult", "One setting.",
        [
            Field("name", .string),
            Field("value", .string, nullable: "0+", about: "Null if it is not set, or secret."),
            Field("readOnly", .bool),
            Field(
                "configSource", .int8, "1+", default: "-1", ignorable: true, about: configSourceMeaning),
            Field("isDefault", .bool, "0", ignorable: true),
            Field("isSensitive", .bool, about: "Whether the value is secret and therefore null."),
            Field(
                "synonyms",
                .array(
                    .structure(
                        Structure(
                            "DescribeConfigsSynonym", "A place where the setting may be made.",
                            [
                                Field("name", .string, "1+"),
                                Field("value", .string, "1+", nullable: "1+"),
                                Field("source", .int8, "1+", about: configSourceMeaning),
                            ]))), "1+", ignorable: true, about: "In the order in which they take effect."),
            Field(
                "configType", .int8, "3+", ignorable: true,
                about: """
                    0 unknown, 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password.
                    """),
            Field("documentation", .string, "3+", nullable: "3+", default: "nil", ignorable: true),
        ])
}

private let configSourceMeaning = """
    1 the topic's own setting, 2 the broker's at run time, 3 all brokers' at run time, 4 the broker's file, 5 the default; \
    -1 or 0 unknown.
    """
