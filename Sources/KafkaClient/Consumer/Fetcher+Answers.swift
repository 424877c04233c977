import KafkaProtocol
import Logging
import RecordBatch
import Synchronization

/// What becomes of one partition's part of a fetch answer.
extension Fetcher {
    func take(_ data: FetchResponse.PartitionData, _ wanted: FetchPositions.Wanted) throws(KafkaClientError) {
        let partition = wanted.partition
        switch data.errorCode {
        case .none:
            let aborted = configuration.isolation == .readCommitted ? data.abortedTransactions ?? [] : []
            try take(
                FetchedRecords(data.records, from: wanted.offset, abortedTransactions: aborted), data, wanted)
        case .offsetOutOfRange:
            try leaveRange(wanted, logStart: data.logStartOffset)
        case .corruptMessage:
            try meetDamage(
                wanted, at: wanted.offset, reason: "the broker says so", next: wanted.offset.advanced(by: 1),
                highWatermark: Offset(data.highWatermark))
        case let code where code.isRetriable || code == .unknownServerError:
            // Led by another broker, or not there now.
            cluster.logger.debug("\(reader): fetching \(partition): \(code.name)")
            cluster.invalidateMetadata(of: [partition.topic])
            positions.withLock { $0.postpone(partition, now: .now) }
            changed.notify()
        default:
            throw .refused(data.errorCode, subject: "fetch of partition \(partition)", message: nil)
        }
    }

    private func take(
        _ fetched: FetchedRecords, _ data: FetchResponse.PartitionData, _ wanted: FetchPositions.Wanted
    ) throws(KafkaClientError) {
        if fetched.nextOffset > wanted.offset {
            let highWatermark = Offset(data.highWatermark)
            // Under the lock, or the next batch, fetched from a new leader, might overtake this one.
            let isWanted = positions.withLock { positions in
                guard positions.advance(wanted, to: fetched.nextOffset, epoch: fetched.epoch) else { return false }
                let batch = ConsumedBatch(
                    topicPartition: wanted.partition, batches: fetched.batches, firstOffset: wanted.offset,
                    nextOffset: fetched.nextOffset, highWatermark: highWatermark,
                    lastStableOffset: data.lastStableOffset >= 0 ? Offset(data.lastStableOffset) : highWatermark,
                    topicID: positions.positions[wanted.partition]?.topicID)
                if !batch.batches.isEmpty || configuration.deliversEmptyBatches { buffer.append(batch) }
                return true
            }
            guard isWanted else { return }
        }
        if fetched.isCutShort {
            if wanted.maximumBytes < 1 << 30 {
                positions.withLock { $0.enlarge(wanted.partition) }
            } else {
                try meetDamage(
                    wanted, at: wanted.offset, reason: "it says that it is longer than any batch can be",
                    next: wanted.offset.advanced(by: 1), highWatermark: Offset(data.highWatermark))
            }
        }
        if let damage = fetched.damage {
            try meetDamage(
                wanted, at: fetched.nextOffset, reason: damage,
                next: fetched.offsetBehindDamage ?? fetched.nextOffset.advanced(by: 1),
                highWatermark: Offset(data.highWatermark))
        }
    }

    /// The batch at `offset` is damaged. It is fetched again, a few times; then the policy holds.
    private func meetDamage(
        _ wanted: FetchPositions.Wanted, at offset: Offset, reason: String, next: Offset, highWatermark: Offset
    ) throws(KafkaClientError) {
        let partition = wanted.partition
        let count = positions.withLock { positions in
            positions.postpone(partition, now: .now)
            return positions.countDamage(partition)
        }
        guard count >= Self.damageLimit else { return }
        guard configuration.damagedBatches == .skip else {
            throw .damagedBatch(partition, at: offset, reason: reason)
        }
        // It was reached by this answer, so the position is there by now.
        let place = FetchPositions.Wanted(
            partition: partition, offset: offset, maximumBytes: wanted.maximumBytes, leaderEpoch: wanted.leaderEpoch,
            number: wanted.number)
        let isSkipped = positions.withLock { positions in
            guard positions.skip(place, to: next) else { return false }
            if configuration.deliversEmptyBatches {
                buffer.append(
                    ConsumedBatch(
                        topicPartition: partition, batches: [], firstOffset: offset, nextOffset: next,
                        highWatermark: highWatermark))
            }
            return true
        }
        guard isSkipped else { return }
        damagedCount.withLock { $0 += 1 }
        cluster.logger.error(
            "partition \(partition) is damaged at offset \(offset): \(reason); going on at offset \(next)")
    }

    /// The offset has been deleted meanwhile, or the log was cut back.
    private func leaveRange(_ wanted: FetchPositions.Wanted, logStart: Int64) throws(KafkaClientError) {
        let partition = wanted.partition
        let isCurrent = positions.withLock { $0.positions[partition]?.number == wanted.number }
        guard isCurrent else { return }
        let place = logStart >= 0 ? " (the log starts at \(logStart))" : ""
        let subject = "offset \(wanted.offset) of partition \(partition) is out of range\(place)"
        switch configuration.offsetReset {
        case .earliest: cluster.logger.warning("\(subject); going on at the oldest record")
        case .latest: cluster.logger.warning("\(subject); going on at the end")
        case .none: throw .noOffset(partition)
        }
        positions.withLock { $0.lose(partition, number: wanted.number) }
        // It may be another topic of the same name.
        cluster.invalidateMetadata(of: [partition.topic])
    }

    /// These topics were deleted and created again. What has been read was the old one.
    func noteRecreated(_ partitions: [TopicPartition]) throws(KafkaClientError) {
        for partition in partitions {
            guard configuration.offsetReset != .none else { throw .topicRecreated(partition.topic) }
            cluster.logger.warning(
                "topic \(partition.topic) was deleted and created again; reading \(partition) from its beginning")
            positions.withLock { $0.restart(partition) }
        }
    }

    // MARK: Offsets

    /// Partitions without an offset start where the reset policy says, those of a new topic at the beginning.
    func lookUpOffsets(of led: Set<TopicPartition>, at broker: Int32) async throws {
        for place in [FetchPositions.Place.reset, .beginning] {
            let unresolved = positions.withLock { $0.unresolved(place, now: .now) }.filter { led.contains($0.key) }
            guard let first = unresolved.keys.min() else { continue }
            let query: OffsetQuery
            switch configuration.offsetReset {
            case _ where place == .beginning: query = .earliest
            case .earliest: query = .earliest
            case .latest: query = .latest
            case .none: throw KafkaClientError.noOffset(first)
            }
            let results = try await cluster.offsets(
                query, of: unresolved.keys.sorted(), at: .broker(broker), isolation: configuration.isolation)
            for (partition, result) in results {
                guard let number = unresolved[partition] else { continue }
                switch result {
                case .success(let offset?):
                    positions.withLock { $0.resolve(partition, number: number, to: .at(offset)) }
                case .success(nil):
                    positions.withLock { $0.postpone(partition, now: .now) }
                case .failure(let error):
                    guard error.mayPass else { throw error }
                    cluster.logger.debug("\(reader): \(error)")
                    cluster.invalidateMetadata(of: [partition.topic])
                    positions.withLock { $0.postpone(partition, now: .now) }
                }
            }
        }
    }

    /// Asks a new leader whether its log holds what was read from the old one (KIP-320).
    func validate(_ led: Set<TopicPartition>, at broker: Int32) async throws {
        let validations = positions.withLock { $0.validations(now: .now, where: led.contains) }
        guard !validations.isEmpty else { return }
        let ends: [TopicPartition: Result<EpochEnd, KafkaClientError>]
        do {
            ends = try await cluster.epochEnds(validations, at: broker)
        } catch KafkaClientError.unsupported {
            // A broker before Kafka 2.3 cannot be asked by consumers.
            positions.withLock { positions in
                for validation in validations { positions.validated(validation) }
            }
            return
        }
        for validation in validations {
            switch ends[validation.partition] {
            case .success(let end):
                try judge(validation, end)
            case .failure(let error):
                guard error.mayPass else { throw error }
                cluster.invalidateMetadata(of: [validation.partition.topic])
                positions.withLock { $0.postpone(validation.partition, now: .now) }
            case nil:
                positions.withLock { $0.postpone(validation.partition, now: .now) }
            }
        }
    }

    private func judge(_ validation: FetchPositions.Validation, _ end: EpochEnd) throws(KafkaClientError) {
        if let offset = end.offset, end.epoch >= 0, offset >= validation.offset {
            positions.withLock { $0.validated(validation) }
            return
        }
        let divergence = end.epoch >= 0 ? end.offset : nil
        let error = KafkaClientError.logTruncated(
            validation.partition, position: validation.offset, divergence: divergence)
        guard configuration.offsetReset != .none else { throw error }
        cluster.logger.warning(
            "\(error); going on \(divergence.map { "at offset \($0)" } ?? "where the reset policy says")")
        positions.withLock { $0.truncate(validation, to: divergence, epoch: end.epoch) }
    }
}
