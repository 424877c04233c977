import KafkaProtocol
import Logging
import NIOCore

/// Carrying out what transactional ids decide. On the event loop.
extension TransactionCoordinator {
    func handle(_ event: TransactionEvent, _ id: String) {
        guard var producer = self.desk.value.producers[id] else { return }
        let actions = producer.handle(event, now: self.around.clock.wallMilliseconds())
        self.desk.value.producers[id] = producer
        for action in actions { self.perform(action, id) }
    }

    private func perform(_ action: TransactionAction, _ id: String) {
        switch action {
        case .answerInitialize(let token, let code, let identity):
            if case .initialize(let reply) = self.desk.value.pending.removeValue(forKey: token) {
                reply(code, identity)
            }
            self.forgetIfNeverBegun(id)
        case .answer(let token, let code):
            if code == .policyViolation { self.around.counters.reached(.partitionsPerTransaction) }
            if case .other(let reply) = self.desk.value.pending.removeValue(forKey: token) { reply(code) }
        case .giveProducerID:
            self.giveProducerID(id)
        case .store(let record):
            self.store(record, id)
        case .allow(let partitions, let identity):
            self.around.open.allow(partitions, producerID: identity.producerID, epoch: identity.epoch)
        case .close(let producerID):
            self.around.open.close(producerID: producerID)
        case .writeMarkers(let end, let partitions):
            self.writeMarkers(end, partitions, id)
        case .forget:
            self.forget(id)
        }
    }

    /// Producer ids are reserved on disk, and the topic may have to be made.
    private func giveProducerID(_ id: String) {
        self.around.pool.submit { _ in
            var producerID: Int64?
            do {
                try self.around.topic.create()
                producerID = try self.around.producerIDs.allocate()
            } catch {
                self.around.logger.error("transactional id \(id.debugDescription) gets no producer id: \(error)")
            }
            self.eventLoop.execute { [producerID] in self.handle(.producerIDGiven(producerID), id) }
        }
    }

    private func store(_ record: TransactionRecord, _ id: String) {
        // That a transaction is complete is known again from its markers when the power takes the record.
        let isComplete = record.state == .completeCommit || record.state == .completeAbort
        let sync =
            self.waitsForSync && !isComplete
            ? SyncWait(eventLoop: self.eventLoop) { code in self.handle(.stored(code == .none), id) } : nil
        do throws(Partition.Refusal) {
            let waits = try self.around.topic.append(record, id: id, sync: sync)
            self.countAppend()
            if !waits { self.handle(.stored(true), id) }
        } catch {
            self.complain(id, "could not be stored", error)
            self.handle(.stored(false), id)
        }
    }

    private func complain(_ id: String, _ what: String, _ refusal: Partition.Refusal) {
        self.around.logger.error(
            "transactional id \(id.debugDescription) \(what): \(refusal.reason ?? refusal.code.description)")
    }

    // MARK: Markers

    /// Counts the markers of one transaction that are still on their way to the disk.
    private final class Round: Sendable {
        private let progress: NIOLoopBoundBox<(missing: Int, hasFailed: Bool)>

        init(_ eventLoop: any EventLoop) {
            self.progress = NIOLoopBoundBox((missing: 1, hasFailed: false), eventLoop: eventLoop)
        }

        func expect() { self.progress.value.missing += 1 }

        func fail() { self.progress.value.hasFailed = true }

        /// - Returns: once all are there, whether all succeeded.
        func finishOne(_ code: ErrorCode = .none) -> Bool? {
            self.progress.value.missing -= 1
            if code != .none { self.fail() }
            return self.progress.value.missing == 0 ? !self.progress.value.hasFailed : nil
        }
    }

    private func writeMarkers(_ end: TransactionEnd, _ partitions: Set<PartitionName>, _ id: String) {
        let round = Round(self.eventLoop)
        for name in partitions {
            let sync =
                self.waitsForSync
                ? SyncWait(eventLoop: self.eventLoop) { code in
                    if let succeeded = round.finishOne(code) { self.handle(.markersWritten(succeeded), id) }
                } : nil
            do throws(Partition.Refusal) {
                if try self.writeMarker(end, name, sync) { round.expect() }
            } catch {
                self.complain(id, "could not end its transaction in \(name.topic)-\(name.partition)", error)
                round.fail()
            }
        }
        if let succeeded = round.finishOne() { self.handle(.markersWritten(succeeded), id) }
    }

    /// - Returns: whether `sync` will be told.
    private func writeMarker(
        _ end: TransactionEnd, _ name: PartitionName, _ sync: SyncWait?
    ) throws(Partition.Refusal) -> Bool {
        // Of a topic that was deleted nothing is left to end.
        guard let partition = self.around.topic.catalog.partition(name.topic, name.partition) else { return false }
        do throws(Partition.Refusal) {
            guard name.topic == Topic.offsetsTopicName else {
                return try partition.endTransaction(end, sync: sync)
            }
            return try self.around.groups.endTransaction(end, in: partition, sync: sync)
        } catch {
            switch error.code {
            case .unknownTopicOrPartition: return false
            // A later marker of the producer is there.
            case .invalidProducerEpoch: return false
            default: throw error
            }
        }
    }

    // MARK: Time

    func timePassed() {
        guard !self.desk.value.isStopping else { return }
        for id in Array(self.desk.value.producers.keys) { self.handle(.timePassed, id) }
    }

    private func forget(_ id: String) {
        self.around.logger.info("transactional id \(id.debugDescription) was not used for long and is forgotten")
        do throws(Partition.Refusal) {
            _ = try self.around.topic.append(nil, id: id, sync: nil)
            self.countAppend()
            self.desk.value.producers[id] = nil
        } catch {
            self.complain(id, "could not be forgotten", error)
        }
    }

    /// An id that got no producer id is not kept.
    private func forgetIfNeverBegun(_ id: String) {
        guard let producer = self.desk.value.producers[id], producer.record.producerID < 0, producer.step == nil else {
            return
        }
        self.desk.value.producers[id] = nil
    }

    // MARK: Keeping the topic small

    private static let appendsBetweenLooks = 1_000

    private func countAppend() {
        self.desk.value.appendsSinceLook += 1
        guard self.desk.value.appendsSinceLook >= Self.appendsBetweenLooks else { return }
        self.desk.value.appendsSinceLook = 0
        let topic = self.around.topic
        let grown = topic.grown(beyond: self.limits.transactionsTopicBytes, since: self.desk.value.rewrittenBytes)
        guard !grown.isEmpty, let count = topic.catalog.topic(Topic.transactionsTopicName)?.partitions.count else {
            return
        }
        self.around.counters.reached(.transactionsTopicBytes, times: grown.count)
        // What is being stored right now is in the log behind all this.
        let records = self.desk.value.producers.mapValues(\.stored)
        for partition in grown {
            self.desk.value.rewrittenBytes[partition.index] = topic.rewrite(partition, of: count, with: records)
        }
    }
}

extension TransactionalProducer {
    /// What the topic says of it, or is about to say.
    fileprivate var stored: TransactionRecord {
        switch self.step {
        case .initializing(let next, _), .adding(let next, _, _), .ending(let next, _), .fencing(let next, _),
            .completing(let next):
            next
        case .givingID, nil: self.record
        }
    }
}
