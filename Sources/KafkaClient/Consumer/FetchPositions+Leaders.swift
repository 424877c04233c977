import KafkaProtocol
import RecordBatch

/// What positions have to do with leaders: a log that was cut back by a new leader is noticed by leader epochs
/// (KIP-320), a topic that was deleted and created again by its id.
extension FetchPositions {
    /// What to ask a new leader: where the epoch of what was read last ends in its log.
    struct Validation: Equatable, Sendable {
        let partition: TopicPartition
        let offset: Offset
        /// The epoch of what was read last.
        let epoch: Int32
        let leaderEpoch: Int32
        let number: UInt64
    }

    /// Compares the positions with what is known of leaders and topics now.
    ///
    /// - Returns: the partitions of topics that are others than those read so far.
    mutating func learn(_ metadata: ClusterMetadata) -> [TopicPartition] {
        guard metadata.revision != metadataRevision else { return [] }
        metadataRevision = metadata.revision
        var recreated: [TopicPartition] = []
        for (partition, position) in positions {
            guard let topic = metadata.topics[partition.topic] else { continue }
            if let old = position.topicID, let new = topic.id, old != new {
                recreated.append(partition)
                // Its leader epochs begin anew.
                positions[partition]?.validatedEpoch = -1
                positions[partition]?.epoch = -1
                positions[partition]?.leaderEpoch = -1
            }
            positions[partition]?.topicID = topic.id ?? position.topicID
            let epoch = topic.partition(partition.partition)?.leaderEpoch ?? -1
            positions[partition]?.leaderEpoch = epoch
        }
        return recreated.sorted()
    }

    /// The topic was created anew: what there is of it is read from its beginning.
    mutating func restart(_ partition: TopicPartition) {
        guard let number = positions[partition]?.number else { return }
        lose(partition, number: number, to: .beginning)
    }

    /// What one broker has to be asked before it is fetched from.
    func validations(now: ContinuousClock.Instant, where isLed: (TopicPartition) -> Bool) -> [Validation] {
        positions.compactMap { partition, position in
            guard position.needsValidation, !position.isPaused, case .at(let offset) = position.place,
                (position.retryAt ?? now) <= now, isLed(partition)
            else { return nil }
            return Validation(
                partition: partition, offset: offset, epoch: position.epoch, leaderEpoch: position.leaderEpoch,
                number: position.number)
        }.sorted { $0.partition < $1.partition }
    }

    /// The leader's log holds what was read.
    mutating func validated(_ validation: Validation) {
        guard positions[validation.partition]?.number == validation.number else { return }
        positions[validation.partition]?.validatedEpoch = validation.leaderEpoch
        positions[validation.partition]?.retryAt = nil
        positions[validation.partition]?.backoff.reset()
    }

    /// It does not: reading goes on where both logs part, or, if that is not known, where the reset policy says.
    mutating func truncate(_ validation: Validation, to offset: Offset?, epoch: Int32) {
        guard positions[validation.partition]?.number == validation.number else { return }
        settle(validation.partition, at: offset.map(Place.at) ?? .reset)
        positions[validation.partition]?.epoch = offset == nil ? -1 : epoch
        positions[validation.partition]?.validatedEpoch = validation.leaderEpoch
    }
}

extension FetchPositions.Position {
    /// There is a newer leader than the one whose log is known to hold what was read.
    var needsValidation: Bool { epoch >= 0 && validatedEpoch >= 0 && leaderEpoch > validatedEpoch }
}
