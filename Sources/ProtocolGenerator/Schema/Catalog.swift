/// Everything that is generated, in the order of the keys.
enum Catalog {
    static let apis: [API] = [
        .produce, .fetch, .listOffsets, .metadata, .offsetCommit, .offsetFetch, .findCoordinator, .joinGroup,
        .heartbeat, .leaveGroup, .syncGroup, .describeGroups, .listGroups, .apiVersions, .createTopics, .deleteTopics,
        .initProducerId,
    ]

    static let messages: [MessageSchema] = [
        .produceRequest, .produceResponse,
        .fetchRequest, .fetchResponse,
        .listOffsetsRequest, .listOffsetsResponse,
        .metadataRequest, .metadataResponse,
        .offsetCommitRequest, .offsetCommitResponse,
        .offsetFetchRequest, .offsetFetchResponse,
        .findCoordinatorRequest, .findCoordinatorResponse,
        .joinGroupRequest, .joinGroupResponse,
        .heartbeatRequest, .heartbeatResponse,
        .leaveGroupRequest, .leaveGroupResponse,
        .syncGroupRequest, .syncGroupResponse,
        .describeGroupsRequest, .describeGroupsResponse,
        .listGroupsRequest, .listGroupsResponse,
        .apiVersionsRequest, .apiVersionsResponse,
        .createTopicsRequest, .createTopicsResponse,
        .deleteTopicsRequest, .deleteTopicsResponse,
        .initProducerIdRequest, .initProducerIdResponse,
        .consumerProtocolSubscription, .consumerProtocolAssignment,
        .offsetCommitKey, .offsetCommitValue, .groupMetadataKey, .groupMetadataValue,
    ]
}
