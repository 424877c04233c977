import KafkaProtocol
import Logging
import RecordBatch

/// The attempts to write one batch to its partition, until it is written, refused, too late or not wanted any more.
///
/// A value of the partition's sending task. It keeps the sequence right: a batch whose fate stays unknown makes the
/// partition start over with another producer id, for the broker would take the next batch of the same number for it.
struct BatchDelivery {
    private let partition: TopicPartition
    private let cluster: Cluster
    private let configuration: ProducerConfiguration
    private let identities: ProducerIdentities
    /// Of a transactional producer: where the identity comes from, and what has to be so before anything is written.
    private let session: TransactionSession?
    private let batch: OutgoingBatch
    /// An attempt may have been written though the broker did not say so.
    private var isUncertain = false

    init(
        of batch: OutgoingBatch, to partition: TopicPartition, cluster: Cluster, configuration: ProducerConfiguration,
        identities: ProducerIdentities, session: TransactionSession? = nil
    ) {
        self.partition = partition
        self.cluster = cluster
        self.configuration = configuration
        self.identities = identities
        self.session = session
        self.batch = batch
    }

    /// - Returns: the offset of the first record; -1 if the broker did not say.
    mutating func run(_ sequence: inout ProducerSequence) async throws -> Offset {
        var backoff = Backoff(cluster.configuration.retryBackoff)
        var patience = TopicPatience(cluster.configuration.requestTimeout)
        do {
            var encoded = try batch.encoded(compression: configuration.compression)
            // Whatever log the batch comes from, its place there is no concern of this cluster's.
            encoded.assign(baseOffset: 0, leaderEpoch: -1)
            while true {
                try Task.checkCancellation()
                if batch.isAbandoned { throw CancellationError() }
                if let timeout = configuration.deliveryTimeout, .now - batch.enqueuedAt > timeout {
                    throw KafkaClientError.deliveryTimedOut(partition, after: timeout)
                }
                do {
                    return try await attempt(&encoded, &sequence)
                } catch let error as KafkaClientError {
                    let isRepaired = repair(after: error, &sequence)
                    guard isRepaired || error.isRetriable, patience.endures(error) else { throw error }
                }
                try await Task.sleep(for: backoff.next())
            }
        } catch {
            if isUncertain {
                sequence.invalidate()
                session?.sequenceBroke(partition)
            }
            throw error
        }
    }

    private mutating func attempt(
        _ encoded: inout EncodedBatch, _ sequence: inout ProducerSequence
    ) async throws -> Offset {
        if let session {
            try await requirePartition()
            try await session.enlist(partition)
            try stamp(&encoded, &sequence, of: session)
        } else if configuration.isIdempotent {
            try await stamp(&encoded, &sequence)
        }
        let offset = try await exchange(encoded)
        sequence.advance(by: encoded.header.recordCount)
        return offset
    }

    /// A transaction's coordinator knows no partition that is not there yet; a topic may be created by asking for it.
    private func requirePartition() async throws {
        do {
            _ = try await cluster.metadata(of: [partition.topic], createMissing: true).requireLeader(of: partition)
        } catch let error as KafkaClientError {
            cluster.invalidateMetadata(of: [partition.topic])
            throw error
        }
    }

    /// Gives the batch its identity and sequence number, unless an earlier attempt has.
    private func stamp(_ encoded: inout EncodedBatch, _ sequence: inout ProducerSequence) async throws {
        if !sequence.isValid {
            sequence.start(try await identities.identity(replacing: sequence.identity))
        }
        guard let identity = sequence.identity else { return }
        stamp(&encoded, identity, sequence)
    }

    /// The identity is the transaction's. With each new epoch every partition counts from 0.
    private func stamp(
        _ encoded: inout EncodedBatch, _ sequence: inout ProducerSequence, of session: TransactionSession
    ) throws {
        let identity = try session.identity()
        if sequence.identity != identity { sequence.start(identity) }
        guard sequence.isValid else {
            session.sequenceBroke(partition)
            throw TransactionError.aborted
        }
        stamp(&encoded, identity, sequence)
    }

    private func stamp(_ encoded: inout EncodedBatch, _ identity: ProducerIdentity, _ sequence: ProducerSequence) {
        let header = encoded.header
        if header.producerID != identity.id || header.producerEpoch != identity.epoch
            || header.baseSequence != sequence.next
        {
            encoded.stamp(
                producerID: identity.id, producerEpoch: identity.epoch, baseSequence: sequence.next,
                isTransactional: session != nil)
        }
    }

    private mutating func exchange(_ encoded: EncodedBatch) async throws -> Offset {
        let topic = partition.topic.rawValue
        // Known and fresh before the request, as only here it may be created.
        _ = try await cluster.metadata(of: [partition.topic], createMissing: true)
        let request = ProduceRequest(
            transactionalID: session?.transactionalID, acks: configuration.acks.rawValue,
            timeoutMs: cluster.configuration.requestTimeout.wholeMilliseconds,
            topicData: [
                ProduceRequest.TopicProduceData(
                    name: topic,
                    partitionData: [
                        ProduceRequest.PartitionProduceData(index: partition.partition.rawValue, records: encoded.bytes)
                    ])
            ])
        let answer: ProduceResponse
        do {
            answer = try await cluster.send(
                to: .leader(partition), expectsAnswer: configuration.acks != .none
            ) { version in
                // Batches of format 2 came with version 3, Kafka 0.11.
                guard version >= 3 else {
                    throw KafkaClientError.unencodable(
                        request: "Produce", reason: "the broker is older than Kafka 0.11")
                }
                return request
            }
        } catch {
            switch error {
            case KafkaClientError.connectionLost, KafkaClientError.timedOut, KafkaClientError.malformedAnswer,
                is CancellationError:
                isUncertain = true
            default:
                break
            }
            throw error
        }
        return configuration.acks == .none ? -1 : try offset(in: answer)
    }

    private mutating func offset(in answer: ProduceResponse) throws(KafkaClientError) -> Offset {
        guard let result = answer.responses.first?.partitionResponses.first else {
            isUncertain = true
            throw .refused(.unknownServerError, subject: "partition \(partition)", message: "the answer is empty")
        }
        switch result.errorCode {
        case .none:
            return Offset(result.baseOffset)
        case .duplicateSequenceNumber:
            // An earlier attempt was written, so long ago that the broker has forgotten where.
            return -1
        case .requestTimedOut, .notEnoughReplicasAfterAppend, .kafkaStorageError, .unknownServerError:
            isUncertain = true
        default:
            break
        }
        throw .refused(result.errorCode, subject: "partition \(partition)", message: result.errorMessage)
    }

    /// Prepares the next attempt. True if that makes an error retriable that is not so by itself.
    private mutating func repair(after error: KafkaClientError, _ sequence: inout ProducerSequence) -> Bool {
        switch error {
        case .refused(.outOfOrderSequenceNumber, _, _), .refused(.unknownProducerID, _, _),
            .refused(.invalidProducerEpoch, _, _):
            // A transaction cannot go on with another producer id.
            if session != nil { return false }
            // The broker lost the sequence (it lost records, or forgot a producer that was idle for days). What it
            // has refused it has not written.
            sequence.invalidate()
            isUncertain = false
            cluster.logger.warning("\(error); going on with a new producer id")
            return true
        case .refused(let code, _, _) where code.isRetriable:
            cluster.invalidateMetadata(of: [partition.topic])
        case .connectionLost, .timedOut, .unreachable, .noLeader, .unknownPartition, .unknownBroker:
            cluster.invalidateMetadata(of: [partition.topic])
        default:
            break
        }
        return false
    }
}
