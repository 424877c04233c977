import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import NIOPosix
import RecordBatch
import Synchronization

/// Appending, and the syncs that acknowledged appends wait for.
extension Partition {
    /// What became of a batch that was not refused.
    struct Receipt: Sendable {
        let baseOffset: Offset
        let logStartOffset: Offset
        /// Whether the answer has to wait: the `SyncWait` will be told.
        let waitsForSync: Bool
        /// The timestamp that the broker gave the records; -1 if they keep their own.
        var logAppendTime: Int64 = -1
    }

    /// Why a batch was refused.
    struct Refusal: Error {
        let code: ErrorCode
        /// For people; nil where the code says it all.
        let reason: String?
        /// The limit that was reached, if it was one.
        let limit: BrokerLimit?

        init(_ code: ErrorCode, _ reason: String?, limit: BrokerLimit? = nil) {
            self.code = code
            self.reason = reason
            self.limit = limit
        }
    }

    /// Who has made a batch.
    enum Origin: Sendable {
        /// Its sequence numbers are checked.
        case client
        /// Records of groups and transactions, and markers.
        case broker
    }

    /// Appends a validated batch, or recognises that it is there already.
    ///
    /// - Parameter sync: told once the batch is on the disk; nil if the caller does not care (acks 0 and 1, or the
    ///   page-cache policy).
    func append(_ batch: EncodedBatch, as origin: Origin = .client, sync: SyncWait?) throws(Refusal) -> Receipt {
        let now = self.resources.clock.wallMilliseconds()
        var woken: [FetchWait] = []
        var startsSync = false
        var problem: LogError?
        let outcome: Result<Receipt, Refusal> = self.state.withLock { state in
            if let code = state.closedBy { return .failure(Refusal(code, nil)) }
            let end: Offset
            let base: Offset
            switch self.verdict(on: batch.header, origin, state.log) {
            case .failure(let refusal):
                return .failure(refusal)
            case .success(let known?):
                (base, end) = (known.baseOffset, known.nextOffset)
            case .success(nil):
                do throws(LogError) {
                    base = try state.log.append(batch, leaderEpoch: self.leaderEpoch, now: now)
                } catch {
                    problem = error
                    return .failure(Refusal(.kafkaStorageError, nil))
                }
                end = state.log.logEndOffset
                if batch.header.hasProducerID {
                    let forgotten = state.log.countForgottenProducers()
                    if forgotten > 0 { self.resources.counters.reached(.producersPerPartition, times: forgotten) }
                }
            }
            var waits = false
            if let sync, end > state.log.syncedOffset {
                waits = true
                startsSync = state.commit.wait(until: end, sync)
            } else if let limit = state.flushMessages, end - state.log.syncedOffset >= limit {
                startsSync = state.commit.ask()
            }
            if state.commit.waiterCount == 0 { woken = state.raiseHighWatermark(to: state.log.logEndOffset) }
            return .success(Receipt(baseOffset: base, logStartOffset: state.log.logStartOffset, waitsForSync: waits))
        }
        if startsSync { self.startSync() }
        for wait in woken { wait.dataArrived() }
        if let problem { throw Refusal(.kafkaStorageError, self.resources.disk.failed(problem, in: self.name)) }
        let receipt = try outcome.get()
        self.resources.disk.wrote(in: self)
        return receipt
    }

    /// - Returns: the batch as it is in the log already; nil if it is to be appended.
    private func verdict(
        on header: RecordBatchHeader, _ origin: Origin, _ log: borrowing Log
    ) -> Result<AppendedBatch?, Refusal> {
        guard header.hasProducerID else { return .success(nil) }
        switch origin == .client ? log.verdict(on: header) : log.producers.verdictOnInternal(header) {
        case .append:
            return .success(nil)
        case .appendBeginningTransaction:
            let refusal = self.resources.transactions.refusal(
                producerID: header.producerID, epoch: header.producerEpoch,
                partition: PartitionName(topic: self.topic, partition: self.index))
            return refusal.map { .failure($0) } ?? .success(nil)
        case .duplicate(let batch):
            return .success(batch)
        case .refuse(let refusal):
            return .failure(Refusal(refusal.errorCode, nil))
        }
    }

    /// Has a thread sync what was appended. Call it when the group commit says so.
    func startSync() {
        self.resources.pool.submit { _ in self.syncUntilNobodyWaits() }
    }

    /// Group commit: whatever was appended while one sync ran shares the next one. Runs on the thread pool.
    private func syncUntilNobodyWaits() {
        var goesOn = true
        while goesOn {
            let point = self.state.withLock { state in
                let point = state.log.syncPoint()
                state.commit.begin(point.endOffset)
                return point
            }
            var failure: LogError?
            let start = self.resources.clock.now()
            do throws(LogError) { try point.perform() } catch { failure = error }
            self.resources.counters.synced(after: self.resources.clock.now() - start, failed: failure != nil)
            goesOn = self.finishSync(point, failure)
        }
    }

    /// - Returns: whether others have come to wait meanwhile.
    private func finishSync(_ point: SyncPoint, _ failure: LogError?) -> Bool {
        let (released, woken, goesOn, code) = self.state.withLock { state in
            let (released, goesOn) = state.commit.finish(succeeded: failure == nil)
            guard failure == nil else {
                return (released, [FetchWait](), goesOn, state.closedBy ?? .kafkaStorageError)
            }
            let visible = state.commit.waiterCount == 0 ? state.log.logEndOffset : point.endOffset
            return (released, state.raiseHighWatermark(to: visible), goesOn, ErrorCode.none)
        }
        if let failure, code == .kafkaStorageError {
            self.resources.logger.critical("\(self.name): what was appended may not be on the disk: \(failure)")
        }
        SyncWait.tell(released, code)
        for wait in woken { wait.dataArrived() }
        return goesOn
    }
}

extension Partition.State {
    /// - Returns: the fetches that may have enough now.
    mutating func raiseHighWatermark(to offset: Offset) -> [FetchWait] {
        guard offset > self.highWatermark else { return [] }
        self.highWatermark = offset
        self.log.markersAreVisible(before: offset)
        defer { self.fetchWaits.removeAll(keepingCapacity: true) }
        return self.fetchWaits
    }
}

extension ProducerRefusal {
    /// What a producer is answered.
    fileprivate var errorCode: ErrorCode {
        switch self {
        case .malformed: .invalidRecord
        case .fenced: .invalidProducerEpoch
        case .outOfOrder: .outOfOrderSequenceNumber
        case .outsideTransaction: .invalidTxnState
        }
    }
}

/// Somebody who is told when what was appended is on the disk. A value inside the partition's lock.
struct SyncWait: Sendable {
    let eventLoop: any EventLoop
    /// Called with `.none` when the bytes are on the disk, on the event loop.
    let done: @Sendable (ErrorCode) -> Void

    /// Tells all; neighbours on one event loop share one hop.
    static func tell(_ waits: [SyncWait], _ code: ErrorCode) {
        var rest = waits[...]
        while let first = rest.first {
            let run = rest.prefix { $0.eventLoop === first.eventLoop }
            first.eventLoop.execute { for wait in run { wait.done(code) } }
            rest = rest.dropFirst(run.count)
        }
    }
}
