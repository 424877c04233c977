import KafkaProtocol

/// What an error means for a transaction. A value.
enum TransactionFailure: Equatable, Sendable {
    /// It may pass by itself.
    case passing
    /// The transaction has to be aborted.
    case abortable(KafkaClientError)
    /// So it has, and the producer needs another epoch, as brokers and producer do not agree on what was written.
    case abortableWithNewEpoch(KafkaClientError)
    /// Another producer has the transactional id now.
    case fenced(KafkaClientError)
    /// The producer cannot go on.
    case terminal(KafkaClientError)

    /// What the coordinator's refusal means, of a transaction or of a group.
    init(coordinator error: KafkaClientError) {
        switch error.code {
        case .invalidProducerEpoch, .producerFenced:
            self = .fenced(error)
        case .topicAuthorizationFailed, .groupAuthorizationFailed, .operationNotAttempted, .transactionAbortable,
            .unknownMemberID, .illegalGeneration, .fencedInstanceID, .rebalanceInProgress, .offsetMetadataTooLarge,
            .invalidTopicException:
            self = .abortable(error)
        case .invalidProducerIDMapping, .unknownProducerID:
            // The coordinator has forgotten the transactional id, as after a week without use.
            self = .abortableWithNewEpoch(error)
        default:
            self = error.mayPass ? .passing : .terminal(error)
        }
    }

    /// What it means that a record could not be written.
    init(delivery error: KafkaClientError) {
        switch error.code {
        case .invalidProducerEpoch, .outOfOrderSequenceNumber, .unknownProducerID:
            // A fenced producer gets the first of these too; it learns so when it asks for its next epoch.
            self = .abortableWithNewEpoch(error)
        case .producerFenced:
            self = .fenced(error)
        case .transactionalIDAuthorizationFailed, .clusterAuthorizationFailed, .invalidTxnState:
            self = .terminal(error)
        default:
            self = .abortable(error)
        }
    }
}
