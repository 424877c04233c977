import KafkaProtocol

/// What happens to a transactional id.
enum TransactionEvent: Sendable {
    case initialize(ProducerAttempt, TransactionReplyToken)
    /// The new producer id that was asked for; nil if there is none to be had.
    case producerIDGiven(Int64?)
    case add(Set<PartitionName>, ProducerIdentity, TransactionReplyToken)
    case end(isCommit: Bool, ProducerIdentity, TransactionReplyToken)
    /// What was to be stored is, or is not.
    case stored(Bool)
    /// All markers are on disk, or some could not be written.
    case markersWritten(Bool)
    /// A deadline may have passed.
    case timePassed
    /// The broker has started and has read what was stored.
    case restored
}

/// What a transactional id wants done. The coordinator carries it out after the value has been put back.
enum TransactionAction: Sendable, Equatable {
    case answerInitialize(TransactionReplyToken, ErrorCode, ProducerIdentity)
    case answer(TransactionReplyToken, ErrorCode)
    case giveProducerID
    case store(TransactionRecord)
    /// The partitions take batches of the transaction from now on.
    case allow(Set<PartitionName>, ProducerIdentity)
    /// No partition takes any more batches that would begin the transaction there.
    case close(producerID: Int64)
    case writeMarkers(TransactionEnd, Set<PartitionName>)
    /// The transactional id has not been used for long: it is to be stored as gone.
    case forget
}

/// A producer id with its epoch.
struct ProducerIdentity: Sendable, Equatable {
    var producerID: Int64
    var epoch: Int16

    static let none = ProducerIdentity(producerID: -1, epoch: -1)
}

/// An InitProducerId request.
struct ProducerAttempt: Sendable {
    var timeoutMilliseconds: Int32
    /// What the producer was before; nil if it does not say (KIP-360).
    var identity: ProducerIdentity?
}

/// Names an answer that is owed.
struct TransactionReplyToken: Hashable, Sendable {
    let rawValue: UInt64
}
