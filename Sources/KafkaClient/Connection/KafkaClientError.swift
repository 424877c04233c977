public import KafkaProtocol
public import RecordBatch

/// Everything that can go wrong between this client and a Kafka cluster.
///
/// Calls of this module throw a `KafkaClientError`, or `CancellationError` when their task was cancelled.
public enum KafkaClientError: Error, Equatable, Sendable {
    /// No connection could be made; the request was not sent. `reason` is the operating system's ("connection
    /// refused").
    case unreachable(BrokerAddress, reason: String)
    /// The connection ended while the request was under way: it may or may not have been carried out.
    case connectionLost(BrokerAddress, reason: String)
    /// The broker did not answer in time: the request may or may not have been carried out.
    case timedOut(BrokerAddress, request: String, after: Duration)
    /// Broker and client have no version of this request in common.
    case unsupported(BrokerAddress, request: String)
    /// The answer cannot be read; whatever listens there may be no Kafka broker.
    case malformedAnswer(BrokerAddress, request: String, reason: String)
    /// The request cannot be written in the version the broker understands.
    case unencodable(request: String, reason: String)
    /// The broker refused. `subject` is what the request was about, `message` the broker's own words if it sent any.
    case refused(ErrorCode, subject: String, message: String?)
    /// The topic does not exist and was not created on first use.
    case unknownTopic(TopicName)
    /// The topic exists, without this partition.
    case unknownPartition(TopicPartition)
    /// The partition has no leader at the moment.
    case noLeader(TopicPartition)
    /// The cluster's metadata has no broker of this number.
    case unknownBroker(Int32)
    /// A fetched batch is damaged (checksum, length or structure).
    case damagedBatch(TopicPartition, at: Offset, reason: String)
    /// There is no committed offset, or it is out of range, and the reset policy is `.none`.
    case noOffset(TopicPartition)
    /// Records that had been read from this partition are not in the log of its new leader (an unclean election);
    /// `divergence` is where both logs part, nil if that is not known. The reset policy is `.none`.
    case logTruncated(TopicPartition, position: Offset, divergence: Offset?)
    /// The topic was deleted and created again while it was read, and the reset policy is `.none`.
    case topicRecreated(TopicName)
    /// The partition is not assigned to this consumer at the moment.
    case notAssigned(TopicPartition)
    /// The text is no regular expression.
    case invalidPattern(String, reason: String)
    /// `deliveryTimeout` passed before the cluster took the record. It may have been written.
    case deliveryTimedOut(TopicPartition, after: Duration)
    /// The consumer is not a member of its group at the moment, so there is nothing to commit for.
    case notAMember(group: String)
    /// The client was closed.
    case closed
}

extension KafkaClientError {
    /// Whether the same call may succeed a little later without anybody changing anything.
    public var isRetriable: Bool {
        switch self {
        case .unreachable, .connectionLost, .timedOut, .noLeader, .unknownBroker, .unknownTopic, .unknownPartition: true
        case .refused(let code, _, _): code.isRetriable
        case .unsupported, .malformedAnswer, .unencodable, .damagedBatch, .noOffset, .logTruncated, .topicRecreated,
            .notAssigned, .invalidPattern, .deliveryTimedOut, .notAMember, .closed:
            false
        }
    }

    /// Whether a service goes on trying: also after an error that a broker cannot explain itself.
    var mayPass: Bool { isRetriable || code == .unknownServerError }

    /// The broker's error code, if it is a broker that refused.
    public var code: ErrorCode? {
        if case .refused(let code, _, _) = self { code } else { nil }
    }
}

extension KafkaClientError {
    /// The first release of Kafka that answers a request in a version this client speaks.
    private static func firstRelease(of request: String) -> String {
        switch request {
        case "CreatePartitions": "1.0"
        case "DeleteGroups": "1.1"
        case "IncrementalAlterConfigs": "2.3"
        default: "0.11"
        }
    }
}

extension KafkaClientError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreachable(let address, let reason):
            "cannot reach \(address): \(reason)"
        case .connectionLost(let address, let reason):
            "the connection to \(address) was lost: \(reason)"
        case .timedOut(let address, let request, let after):
            "\(address) did not answer \(request) within \(after)"
        case .unsupported(let address, let request):
            "\(address) has no version of \(request) that this client speaks; Kafka \(Self.firstRelease(of: request)) or later is needed"
        case .malformedAnswer(let address, let request, let reason):
            "the answer of \(address) to \(request) cannot be read (\(reason)); is it a Kafka broker?"
        case .unencodable(let request, let reason):
            "\(request) cannot be written in the broker's version: \(reason)"
        case .refused(let code, let subject, let message):
            "\(subject): \(message.flatMap { $0.isEmpty ? nil : $0 } ?? code.text) (\(code.name))"
        case .unknownTopic(let topic):
            "topic \(topic.rawValue) does not exist; create it, or let the cluster create topics on first use"
        case .unknownPartition(let partition):
            "topic \(partition.topic.rawValue) has no partition \(partition.partition.rawValue)"
        case .noLeader(let partition):
            "partition \(partition) has no leader at the moment"
        case .unknownBroker(let id):
            "the cluster has no broker \(id)"
        case .damagedBatch(let partition, let offset, let reason):
            "partition \(partition) is damaged at offset \(offset): \(reason); start behind it to go on"
        case .noOffset(let partition):
            "there is no offset to start from in partition \(partition), and offsetReset is none"
        case .logTruncated(let partition, let position, let divergence):
            "the log of partition \(partition) was cut back to \(divergence.map { "\($0)" } ?? "an unknown offset"), before the position \(position)"
        case .topicRecreated(let topic):
            "topic \(topic.rawValue) was deleted and created again, and offsetReset is none"
        case .notAssigned(let partition):
            "partition \(partition) is not assigned to this consumer at the moment"
        case .invalidPattern(let text, let reason):
            "'\(text)' is not a regular expression: \(reason)"
        case .deliveryTimedOut(let partition, let after):
            "partition \(partition) did not take the records within \(after)"
        case .notAMember(let group):
            "this consumer is not a member of group \(group) at the moment"
        case .closed:
            "the client is closed"
        }
    }
}
