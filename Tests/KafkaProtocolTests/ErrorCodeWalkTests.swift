import KafkaProtocol
import Testing

@Suite("Errors in responses: found wherever a response keeps them")
struct ErrorCodeWalkTests {
    private func errors(_ response: some KafkaResponse) -> [ErrorCode] {
        var found: [ErrorCode] = []
        response.forEachErrorCode { if $0 != .none { found.append($0) } }
        return found
    }

    @Test("at the top, in arrays, in arrays of arrays, and in arrays that may be null")
    func everywhere() {
        #expect(errors(HeartbeatResponse(errorCode: .rebalanceInProgress)) == [.rebalanceInProgress])
        #expect(
            errors(
                FetchResponse(
                    errorCode: .fetchSessionIDNotFound,
                    responses: [
                        .init(topic: "a", partitions: [.init(), .init(errorCode: .offsetOutOfRange)]),
                        .init(topic: "b", partitions: [.init(errorCode: .kafkaStorageError)]),
                    ])) == [.fetchSessionIDNotFound, .offsetOutOfRange, .kafkaStorageError])
        #expect(
            errors(CreateTopicsResponse(topics: [.init(name: "a", errorCode: .topicAlreadyExists)])) == [
                .topicAlreadyExists
            ])
        #expect(errors(ProduceResponse(responses: [.init(name: "a", partitionResponses: [.init()])])).isEmpty)
    }

    @Test("what is no error is walked over too, so that codes can be counted as they are")
    func none() {
        var count = 0
        ProduceResponse(responses: [.init(name: "a", partitionResponses: [.init(), .init()])])
            .forEachErrorCode { _ in count += 1 }
        #expect(count == 2)
    }
}
