public import RecordBatch

/// What a log knows of its producers and their transactions.
extension Log {
    /// What is to become of a batch that a client has sent.
    public func verdict(on header: RecordBatchHeader) -> ProducerVerdict { producers.verdict(on: header) }

    /// Takes note of a batch that has just been appended.
    mutating func noteProducer(of batch: EncodedBatch, at baseOffset: Offset, now: Int64) {
        guard batch.header.isControl else {
            return producers.record(batch.header, at: baseOffset, now: now)
        }
        // Whoever appends control batches has made them.
        guard let marker = try? TransactionMarker(batch) else { return }
        if let aborted = producers.end(marker, batch.header, at: baseOffset, now: now) { active.note(aborted) }
    }

    /// Forgets producers unheard of since `time` (milliseconds since the epoch), as Kafka does after
    /// `producer.id.expiration.ms`; one with an open transaction stays.
    public mutating func expireProducers(silentSince time: Int64) {
        producers.expire(silentSince: time)
    }

    /// How many producers were forgotten since this was last called, as there were more than the configuration allows.
    public mutating func countForgottenProducers() -> Int {
        defer { producers.forgottenCount = 0 }
        return producers.forgottenCount
    }

    /// Consumers may read up to `highWatermark`.
    public mutating func markersAreVisible(before highWatermark: Offset) {
        producers.markersAreVisible(before: highWatermark)
    }

    /// Up to where consumers may read that want committed records only: the first transaction whose end they cannot see
    /// yet, if there is one before the high watermark.
    public func lastStableOffset(highWatermark: Offset) -> Offset {
        guard let unstable = producers.firstUnstableOffset else { return highWatermark }
        return min(highWatermark, max(unstable, logStartOffset))
    }

    /// Puts the new epoch of a batch that was just appended into the checkpoint, which the next sync puts on disk.
    mutating func beginLeaderEpoch(_ epoch: Int32, at offset: Offset) {
        guard leaderEpochs.begin(epoch, at: offset) else { return }
        // The batch is in the log; what cannot be written now the next start finds there.
        guard let file = try? leaderEpochs.write(in: directory) else { return }
        directoryVersion += 1
        unsynced.append(UnsyncedSegment(nextOffset: logEndOffset, files: [file]))
    }
}
