// ApiVersions (key 18): the first request of a connection. A broker that does not know the version asked for
// answers in version 0, and the response's header is version 0 always (KIP-511).

extension API {
    static let apiVersions = API("apiVersions", key: 18, versions: "0-4", flexibleFrom: 3)
}

extension MessageSchema {
    static let apiVersionsRequest = API.apiVersions.request(
        "Asks which APIs the broker serves, and in which versions.",
        [
            Field("clientSoftwareName", .string, "3+", ignorable: true, about: "The client library's name."),
            Field("clientSoftwareVersion", .string, "3+", ignorable: true, about: "The client library's version."),
        ])

    static let apiVersionsResponse = API.apiVersions.response(
        "The APIs the broker serves, with their versions.",
        [
            Field("errorCode", .errorCode),
            Field(
                "apiKeys",
                .array(
                    .structure(
                        Structure(
                            "ApiVersion", "The versions of one API.",
                            [
                                Field(
                                    "apiKey", .int16, about: "The API's number; clients meet numbers they do not know."),
                                Field("minVersion", .int16, about: "The lowest version served."),
                                Field("maxVersion", .int16, about: "The highest version served."),
                            ])))),
            Field("throttleTimeMs", .int32, "1+", ignorable: true, about: throttleTimeMeaning),
            Field(
                "supportedFeatures",
                .array(
                    .structure(
                        Structure(
                            "SupportedFeatureKey", "A cluster feature that the broker supports.",
                            [
                                Field("name", .string, "3+"),
                                Field("minVersion", .int16, "3+"),
                                Field("maxVersion", .int16, "3+"),
                            ]))), "3+", ignorable: true, tag: 0),
            Field(
                "finalizedFeaturesEpoch", .int64, "3+", default: "-1", ignorable: true, tag: 1,
                about: "Grows with each change of the finalized features; -1 if unknown."),
            Field(
                "finalizedFeatures",
                .array(
                    .structure(
                        Structure(
                            "FinalizedFeatureKey", "A feature that the whole cluster has agreed on.",
                            [
                                Field("name", .string, "3+"),
                                Field("maxVersionLevel", .int16, "3+"),
                                Field("minVersionLevel", .int16, "3+"),
                            ]))), "3+", ignorable: true, tag: 2),
            Field("zkMigrationReady", .bool, "3+", ignorable: true, tag: 3),
        ])
}
