import KafkaProtocol
import NIOCore

/// A message type, as the tests handle them all alike.
typealias AnyMessageType = any (KafkaMessage & Equatable).Type

/// Every generated message. A test holds the list against the generator's catalog.
let allMessages: [AnyMessageType] = [
    ProduceRequest.self, ProduceResponse.self,
    FetchRequest.self, FetchResponse.self,
    ListOffsetsRequest.self, ListOffsetsResponse.self,
    MetadataRequest.self, MetadataResponse.self,
    OffsetCommitRequest.self, OffsetCommitResponse.self,
    OffsetFetchRequest.self, OffsetFetchResponse.self,
    FindCoordinatorRequest.self, FindCoordinatorResponse.self,
    JoinGroupRequest.self, JoinGroupResponse.self,
    HeartbeatRequest.self, HeartbeatResponse.self,
    LeaveGroupRequest.self, LeaveGroupResponse.self,
    SyncGroupRequest.self, SyncGroupResponse.self,
    DescribeGroupsRequest.self, DescribeGroupsResponse.self,
    ListGroupsRequest.self, ListGroupsResponse.self,
    ApiVersionsRequest.self, ApiVersionsResponse.self,
    CreateTopicsRequest.self, CreateTopicsResponse.self,
    DeleteTopicsRequest.self, DeleteTopicsResponse.self,
    DeleteRecordsRequest.self, DeleteRecordsResponse.self,
    InitProducerIdRequest.self, InitProducerIdResponse.self,
    OffsetForLeaderEpochRequest.self, OffsetForLeaderEpochResponse.self,
    AddPartitionsToTxnRequest.self, AddPartitionsToTxnResponse.self,
    AddOffsetsToTxnRequest.self, AddOffsetsToTxnResponse.self,
    EndTxnRequest.self, EndTxnResponse.self,
    TxnOffsetCommitRequest.self, TxnOffsetCommitResponse.self,
    DescribeConfigsRequest.self, DescribeConfigsResponse.self,
    AlterConfigsRequest.self, AlterConfigsResponse.self,
    DescribeLogDirsRequest.self, DescribeLogDirsResponse.self,
    CreatePartitionsRequest.self, CreatePartitionsResponse.self,
    DeleteGroupsRequest.self, DeleteGroupsResponse.self,
    IncrementalAlterConfigsRequest.self, IncrementalAlterConfigsResponse.self,
    OffsetDeleteRequest.self, OffsetDeleteResponse.self,
    DescribeClusterRequest.self, DescribeClusterResponse.self,
    DescribeProducersRequest.self, DescribeProducersResponse.self,
    DescribeTransactionsRequest.self, DescribeTransactionsResponse.self,
    ListTransactionsRequest.self, ListTransactionsResponse.self,
    DescribeTopicPartitionsRequest.self, DescribeTopicPartitionsResponse.self,
    ConsumerProtocolSubscription.self, ConsumerProtocolAssignment.self,
    OffsetCommitKey.self, OffsetCommitValue.self, GroupMetadataKey.self, GroupMetadataValue.self,
    TransactionLogKey.self, TransactionLogValue.self, ControlRecordKey.self, EndTxnMarker.self,
]

let messagesByName: [String: AnyMessageType] = Dictionary(
    uniqueKeysWithValues: allMessages.map { ("\($0)", $0) })

extension KafkaMessage {
    /// Reads a message from bytes that hold nothing else.
    static func decode(_ bytes: [UInt8], version: Int16) throws -> Self {
        var reader = MessageReader(ByteBuffer(bytes: bytes))
        let message = try Self(decoding: &reader, version: version)
        try reader.finish()
        return message
    }

    func encoded(version: Int16) throws -> [UInt8] {
        var buffer = ByteBuffer()
        try encode(into: &buffer, version: version)
        return Array(buffer.readableBytesView)
    }
}
