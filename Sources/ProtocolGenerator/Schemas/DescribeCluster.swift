// DescribeCluster (key 60, KIP-700): version 1 (KIP-919) can ask for the controllers.

extension API {
    static let describeCluster = API("describeCluster", key: 60, versions: "0-1", flexibleFrom: 0)
}

extension MessageSchema {
    static let describeClusterRequest = API.describeCluster.request(
        "Asks for the brokers of the cluster.",
        [
            Field("includeClusterAuthorizedOperations", .bool),
            Field("endpointType", .int8, "1+", default: "1", about: endpointTypeMeaning),
        ])

    static let describeClusterResponse = API.describeCluster.response(
        "The brokers of the cluster.",
        [
            Field("throttleTimeMs", .int32, about: throttleTimeMeaning),
            Field("errorCode", .errorCode),
            Field("errorMessage", .string, nullable: "0+", default: "nil"),
            Field("endpointType", .int8, "1+", default: "1", about: endpointTypeMeaning),
            Field("clusterId", .string),
            Field("controllerId", .int32, default: "-1"),
            Field(
                "brokers",
                .array(
                    .structure(
                        Structure(
                            "DescribeClusterBroker", "One broker.",
                            [
                                Field("brokerId", .int32),
                                Field("host", .string),
                                Field("port", .int32),
                                Field("rack", .string, nullable: "0+", default: "nil"),
                            ])))),
            Field("clusterAuthorizedOperations", .int32, default: "Int32.min", about: authorizedOperationsMeaning),
        ])
}

private let endpointTypeMeaning = "1 for brokers, 2 for controllers."
