import KafkaProtocol

/// EndTxn, markers, and time.
extension TransactionalProducer {
    mutating func end(
        isCommit: Bool, _ identity: ProducerIdentity, _ token: TransactionReplyToken, _ now: Int64,
        _ actions: inout [TransactionAction]
    ) {
        if let error = self.error(for: identity) { return actions.append(.answer(token, error)) }
        guard self.step == nil else { return actions.append(.answer(token, .concurrentTransactions)) }
        switch self.record.state {
        case .ongoing:
            var next = self.record
            next.state = isCommit ? .prepareCommit : .prepareAbort
            next.updatedAt = now
            self.step = .ending(next, token)
            actions.append(.store(next))
        case .prepareCommit:
            actions.append(.answer(token, isCommit ? .concurrentTransactions : .invalidTxnState))
        case .prepareAbort:
            actions.append(.answer(token, isCommit ? .invalidTxnState : .concurrentTransactions))
        case .completeCommit:
            // The answer was lost; the request came again.
            actions.append(.answer(token, isCommit ? .none : .invalidTxnState))
        case .completeAbort:
            actions.append(.answer(token, isCommit ? .invalidTxnState : .none))
        case .empty, .dead, .prepareEpochFence:
            actions.append(.answer(token, .invalidTxnState))
        }
    }

    // MARK: Markers

    mutating func writeMarkers(_ actions: inout [TransactionAction]) {
        self.isWritingMarkers = true
        self.retryAt = nil
        actions.append(.close(producerID: self.record.producerID))
        actions.append(
            .writeMarkers(
                TransactionEnd(
                    producerID: self.record.producerID, epoch: self.record.epoch,
                    isCommit: self.record.state == .prepareCommit), self.record.partitions))
    }

    mutating func markersWritten(_ succeeded: Bool, _ now: Int64, _ actions: inout [TransactionAction]) {
        guard self.isWritingMarkers else { return }
        self.isWritingMarkers = false
        guard succeeded else {
            self.retryAt = now + Self.retryMilliseconds
            // How it ends is stored, and that is what the producer asks.
            if let token = self.endReply {
                self.endReply = nil
                actions.append(.answer(token, .none))
            }
            return
        }
        var next = self.record
        next.state = self.record.state == .prepareCommit ? .completeCommit : .completeAbort
        next.partitions = []
        next.updatedAt = now
        self.step = .completing(next)
        actions.append(.store(next))
    }

    mutating func restored(_ now: Int64, _ actions: inout [TransactionAction]) {
        switch self.record.state {
        case .ongoing: actions.append(.allow(self.record.partitions, self.identity))
        case .prepareCommit, .prepareAbort: self.writeMarkers(&actions)
        case .empty, .completeCommit, .completeAbort, .dead, .prepareEpochFence: break
        }
    }

    // MARK: Time

    /// Called now and then.
    mutating func timePassed(_ now: Int64, _ actions: inout [TransactionAction]) {
        guard self.step == nil, !self.isWritingMarkers, self.retryAt ?? .min <= now else { return }
        switch self.record.state {
        case .ongoing:
            if self.hasFailedFence || now - self.record.startedAt > Int64(self.record.timeoutMilliseconds) {
                self.fence(nil, now, &actions)
            }
        case .prepareCommit, .prepareAbort:
            self.writeMarkers(&actions)
        case .empty, .completeCommit, .completeAbort, .dead, .prepareEpochFence:
            if now - self.record.updatedAt >= self.settings.idExpiration.milliseconds { actions.append(.forget) }
        }
    }
}
