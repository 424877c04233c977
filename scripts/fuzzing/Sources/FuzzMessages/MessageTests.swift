import Fuzzing
import NIOCore

@testable import KafkaProtocol

/// One type of message, as the targets handle all of them. A value.
struct MessageTest: Sendable {
    /// Decodes at a version. What comes out can be written, and reads as the same.
    let run: @Sendable (_ reader: inout MessageReader, _ version: Int16) -> Void

    init<Message: KafkaMessage & Equatable>(_ type: Message.Type) {
        run = { reader, version in
            guard let message = try? Message(decoding: &reader, version: version) else { return }
            do throws(ProtocolError) {
                var bytes = ByteBuffer()
                try message.encode(into: &bytes, version: version)
                var again = MessageReader(bytes)
                let copy = try Message(decoding: &again, version: version)
                promise(copy == message, "\(message) is read as \(copy)")
                try again.finish()
            } catch {
                broken("what was read at version \(version) cannot be written: \(error): \(message)")
            }
        }
    }
}

/// A request and its response.
struct ExchangeTest: Sendable {
    let key: APIKey
    let request: MessageTest
    let response: MessageTest

    init<Request: KafkaRequest & Equatable>(_ type: Request.Type) where Request.Response: Equatable {
        key = Request.apiKey
        request = MessageTest(Request.self)
        response = MessageTest(Request.Response.self)
    }

    static let all: [ExchangeTest] = [
        ExchangeTest(ProduceRequest.self), ExchangeTest(FetchRequest.self), ExchangeTest(ListOffsetsRequest.self),
        ExchangeTest(MetadataRequest.self), ExchangeTest(OffsetCommitRequest.self),
        ExchangeTest(OffsetFetchRequest.self), ExchangeTest(FindCoordinatorRequest.self),
        ExchangeTest(JoinGroupRequest.self), ExchangeTest(HeartbeatRequest.self), ExchangeTest(LeaveGroupRequest.self),
        ExchangeTest(SyncGroupRequest.self), ExchangeTest(DescribeGroupsRequest.self),
        ExchangeTest(ListGroupsRequest.self), ExchangeTest(ApiVersionsRequest.self),
        ExchangeTest(CreateTopicsRequest.self), ExchangeTest(DeleteTopicsRequest.self),
        ExchangeTest(DeleteRecordsRequest.self), ExchangeTest(InitProducerIdRequest.self),
        ExchangeTest(OffsetForLeaderEpochRequest.self), ExchangeTest(AddPartitionsToTxnRequest.self),
        ExchangeTest(AddOffsetsToTxnRequest.self), ExchangeTest(EndTxnRequest.self),
        ExchangeTest(TxnOffsetCommitRequest.self), ExchangeTest(DescribeConfigsRequest.self),
        ExchangeTest(AlterConfigsRequest.self), ExchangeTest(DescribeLogDirsRequest.self),
        ExchangeTest(CreatePartitionsRequest.self), ExchangeTest(DeleteGroupsRequest.self),
        ExchangeTest(IncrementalAlterConfigsRequest.self), ExchangeTest(OffsetDeleteRequest.self),
        ExchangeTest(DescribeClusterRequest.self), ExchangeTest(DescribeProducersRequest.self),
        ExchangeTest(DescribeTransactionsRequest.self), ExchangeTest(ListTransactionsRequest.self),
        ExchangeTest(DescribeTopicPartitionsRequest.self),
    ]

    /// By the key's number.
    static let byKey: [ExchangeTest?] = {
        let tests = Dictionary(uniqueKeysWithValues: all.map { ($0.key, $0) })
        for key in APIKey.allCases { promise(tests[key] != nil, "\(key) is not tested") }
        return (0...(APIKey.allCases.map(\.rawValue).max() ?? 0)).map { APIKey(rawValue: $0).flatMap { tests[$0] } }
    }()

    static func of(_ key: APIKey) -> ExchangeTest {
        guard let test = byKey[Int(key.rawValue)] else { broken("\(key) is not tested") }
        return test
    }
}

/// Data that is stored, or carried in another message's bytes.
struct DataTest: Sendable {
    let run: @Sendable (ByteBuffer) -> Void

    init<Data: KafkaData & Equatable>(_ type: Data.Type) {
        run = { bytes in
            guard let data = try? Data(versioned: bytes), let version = Data.version(of: bytes) else { return }
            do throws(ProtocolError) {
                let copy = try Data(versioned: try data.versionedBytes(version: version))
                promise(copy == data, "\(data) is read as \(copy)")
            } catch {
                broken("what was read at version \(version) cannot be written: \(error): \(data)")
            }
        }
    }

    static let all: [DataTest] = [
        DataTest(ConsumerProtocolSubscription.self), DataTest(ConsumerProtocolAssignment.self),
        DataTest(OffsetCommitKey.self), DataTest(OffsetCommitValue.self), DataTest(GroupMetadataKey.self),
        DataTest(GroupMetadataValue.self), DataTest(TransactionLogKey.self), DataTest(TransactionLogValue.self),
        DataTest(ControlRecordKey.self), DataTest(EndTxnMarker.self),
    ]
}
