import KafkaProtocol

/// InitProducerId: a producer begins, or begins again. Its predecessor of the same transactional id is fenced.
extension TransactionalProducer {
    mutating func initialize(
        _ attempt: ProducerAttempt, _ token: TransactionReplyToken, _ now: Int64,
        _ actions: inout [TransactionAction]
    ) {
        guard self.step == nil else {
            return actions.append(.answerInitialize(token, .concurrentTransactions, .none))
        }
        guard self.isKnown(attempt.identity) else {
            return actions.append(.answerInitialize(token, .producerFenced, .none))
        }
        switch self.record.state {
        case .prepareCommit, .prepareAbort:
            actions.append(.answerInitialize(token, .concurrentTransactions, .none))
        case .empty, .completeCommit, .completeAbort:
            let matches = attempt.identity.map { $0.epoch == self.record.epoch } ?? true
            if self.record.producerID < 0 || self.record.isEpochExhausted && matches {
                self.step = .givingID(attempt, token)
                actions.append(.giveProducerID)
            } else {
                self.raiseEpoch(attempt, token, now, &actions)
            }
        case .ongoing:
            self.fence(token, now, &actions)
        case .dead, .prepareEpochFence:
            actions.append(.answerInitialize(token, .unknownServerError, .none))
        }
    }

    /// Whether a producer that says what it was can have been that.
    private func isKnown(_ identity: ProducerIdentity?) -> Bool {
        guard let identity, self.record.epoch >= 0 else { return true }
        if identity.producerID == self.record.producerID { return true }
        // It was given a new id because its epochs were used up, and did not get the answer.
        return identity.producerID == self.record.lastProducerID && TransactionRecord.isExhausted(identity.epoch)
    }

    mutating func take(producerID: Int64?, _ now: Int64, _ actions: inout [TransactionAction]) {
        guard case .givingID(let attempt, let token) = self.step else { return }
        self.step = nil
        guard let producerID else {
            return actions.append(.answerInitialize(token, .coordinatorNotAvailable, .none))
        }
        var next = self.begun(attempt, now)
        next.lastEpoch = attempt.identity == nil ? -1 : self.record.epoch
        next.lastProducerID = self.record.producerID
        next.producerID = producerID
        next.epoch = 0
        self.step = .initializing(next, token)
        actions.append(.store(next))
    }

    private mutating func raiseEpoch(
        _ attempt: ProducerAttempt, _ token: TransactionReplyToken, _ now: Int64,
        _ actions: inout [TransactionAction]
    ) {
        var next = self.begun(attempt, now)
        let expected = attempt.identity?.epoch
        if let expected, expected != self.record.epoch {
            // The answer to its first request was lost; it gets the same one.
            guard expected == self.record.lastEpoch else {
                return actions.append(.answerInitialize(token, .producerFenced, .none))
            }
        } else {
            next.lastEpoch = expected == nil ? -1 : self.record.epoch
            if !self.hasFailedFence { next.epoch = self.record.epoch + 1 }
        }
        self.step = .initializing(next, token)
        actions.append(.store(next))
    }

    private func begun(_ attempt: ProducerAttempt, _ now: Int64) -> TransactionRecord {
        var next = self.record
        next.timeoutMilliseconds = attempt.timeoutMilliseconds
        next.state = .empty
        next.partitions = []
        next.startedAt = -1
        next.updatedAt = now
        return next
    }

    /// Aborts the open transaction with a raised epoch, so that its producer is refused from then on.
    mutating func fence(_ token: TransactionReplyToken?, _ now: Int64, _ actions: inout [TransactionAction]) {
        var next = self.record
        if !self.hasFailedFence, next.epoch < .max { next.epoch += 1 }
        next.lastEpoch = -1
        next.state = .prepareAbort
        next.updatedAt = now
        self.step = .fencing(next, token)
        actions.append(.store(next))
    }
}
