import KafkaProtocol
import NIOCore
import Testing

@Suite("Codes: Kafka's numbers for states, settings and markers")
struct CodeTests {
    @Test("a transaction's state is found by Kafka's name")
    func transactionStates() {
        #expect(TransactionState.allCases.map(\.rawValue) == [0, 1, 2, 3, 4, 5, 6, 7])
        for state in TransactionState.allCases { #expect(TransactionState(name: state.name) == state) }
        #expect(TransactionState(name: "CompleteCommit") == .completeCommit)
        #expect(TransactionState(name: "completeCommit") == nil)
    }

    @Test("a commit marker's key and value have the bytes that Kafka writes")
    func markers() throws {
        let key = try ControlRecordKey(type: ControlRecordType.commit.rawValue).versionedBytes(version: 0)
        #expect(Array(key.readableBytesView) == [0, 0, 0, 1])
        let value = try EndTxnMarker(coordinatorEpoch: 7).versionedBytes(version: 0)
        #expect(Array(value.readableBytesView) == [0, 0, 0, 0, 0, 7])
        // A newer Kafka may have appended to it.
        let newer = ByteBuffer(bytes: [0, 1, 0, 0, 0, 7, 9])
        #expect(try EndTxnMarker(versioned: newer, acceptingNewer: true).coordinatorEpoch == 7)
    }

    @Test("a transactional id in its first version has no place for what KIP-890 added")
    func transactionLogValue() throws {
        var value = TransactionLogValue(producerID: 1, transactionPartitions: nil, nextProducerID: 2)
        #expect(throws: ProtocolError.self) { try value.versionedBytes(version: 0) }
        #expect(try TransactionLogValue(versioned: value.versionedBytes(version: 1)) == value)
        value.nextProducerID = -1
        #expect(try TransactionLogValue(versioned: value.versionedBytes(version: 0)) == value)
    }

    @Test("the page of DescribeTopicPartitions is there or null")
    func cursor() throws {
        let first = DescribeTopicPartitionsRequest(topics: [.init(name: "t")])
        let next = DescribeTopicPartitionsRequest(cursor: .init(topicName: "t", partitionIndex: 3))
        #expect(try first.encoded(version: 0).suffix(2) == [0xFF, 0])
        #expect(try next.encoded(version: 0).dropFirst(5).first == 1)
        for request in [first, next] {
            #expect(try DescribeTopicPartitionsRequest.decode(request.encoded(version: 0), version: 0) == request)
        }
    }
}
