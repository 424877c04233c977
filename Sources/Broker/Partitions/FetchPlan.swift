import CommitLog
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch

/// A fetch request whose partitions have been looked up. A value that may be evaluated again and again while the
/// request waits for data.
struct FetchPlan: Sendable {
    struct Item: Sendable {
        let topic: String
        let index: Int32
        /// Nil if there is no such partition.
        let partition: Partition?
        let offset: Offset
        let maximumBytes: Int
        let currentLeaderEpoch: Int32
    }

    /// What one evaluation found. Reading the bytes comes later, and perhaps on another thread.
    struct Findings: Sendable {
        var views: [Result<Partition.View, Partition.Refusal>] = []
        /// An upper bound: slices are located by an index that is not exact.
        var estimatedBytes = 0
        var hasError = false
    }

    let items: [Item]
    let minimumBytes: Int
    let maximumBytes: Int
    /// Whether the client would take more than `maximumBytes`.
    let isBelowWish: Bool
    let isolation: IsolationLevel
    /// The format that the client reads; nil for batches as they are stored.
    let legacyFormat: LegacyMessageFormat?

    /// Looks at the partitions in the order of the request until the response is full; those behind get no records
    /// this time. Clients ask for them first next time.
    func evaluate(registering wait: FetchWait?) -> Findings {
        var findings = Findings()
        findings.views.reserveCapacity(self.items.count)
        for item in self.items {
            guard let partition = item.partition else {
                findings.views.append(.failure(Partition.Refusal(.unknownTopicOrPartition, nil)))
                findings.hasError = true
                continue
            }
            let room = max(0, self.maximumBytes - findings.estimatedBytes)
            let view = partition.view(
                from: item.offset, maximumBytes: min(item.maximumBytes, room), isolation: self.isolation,
                currentLeaderEpoch: item.currentLeaderEpoch, registering: wait)
            switch view {
            case .success(let found):
                findings.estimatedBytes += found.slice?.estimatedBytes ?? 0
            case .failure:
                findings.hasError = true
            }
            findings.views.append(view)
        }
        return findings
    }

    func forget(_ wait: FetchWait) {
        for item in self.items { item.partition?.forget(wait) }
    }

    /// Whether the findings are worth an answer before the time is up.
    func isEnough(_ findings: Findings) -> Bool {
        findings.hasError || findings.estimatedBytes >= self.minimumBytes || self.items.isEmpty
    }

    /// What is answered, and what of it counts.
    struct Answer: Sendable {
        var response = FetchResponse()
        var byteCount = 0
        var hasError = false
    }

    /// Reads the bytes and builds the response. Waits for the disk.
    func answer(to findings: Findings) -> Answer {
        guard let answer = self.answer(to: findings, onlyCached: false) else {
            preconditionFailure("a read that may wait gave up")
        }
        return answer
    }

    /// The same on a thread that must not wait.
    ///
    /// - Returns: nil if not all bytes are in memory.
    func answerFromMemory(to findings: Findings) -> Answer? {
        self.answer(to: findings, onlyCached: true)
    }

    private func answer(to findings: Findings, onlyCached: Bool) -> Answer? {
        var answer = Answer()
        for (item, view) in zip(self.items, findings.views) {
            var data = FetchResponse.PartitionData(partitionIndex: item.index)
            data.records = ByteBuffer()
            // Null for who wants uncommitted records, too.
            data.abortedTransactions = self.isolation == .readCommitted ? [] : nil
            switch view {
            case .failure(let refusal):
                data.errorCode = refusal.code
                data.highWatermark = -1
            case .success(let found):
                data.highWatermark = found.highWatermark.rawValue
                data.lastStableOffset = found.lastStableOffset.rawValue
                data.logStartOffset = found.logStartOffset.rawValue
                let room = self.maximumBytes - answer.byteCount
                guard self.read(found, item, room: room, onlyCached: onlyCached, into: &data) else { return nil }
                answer.byteCount += data.records?.readableBytes ?? 0
            }
            if data.errorCode != .none { answer.hasError = true }
            if answer.response.responses.last?.topic == item.topic {
                answer.response.responses[answer.response.responses.count - 1].partitions.append(data)
            } else {
                answer.response.responses.append(.init(topic: item.topic, partitions: [data]))
            }
        }
        return answer
    }

    /// Counts an answer that is sent.
    func count(_ answer: Answer, _ findings: Findings, _ counters: BrokerCounters) {
        var items = self.items[...]
        for topic in answer.response.responses {
            for data in topic.partitions {
                let item = items.popFirst()
                if let records = data.records { item?.partition?.traffic.fetched(records) }
            }
        }
        if self.isBelowWish && findings.estimatedBytes >= self.maximumBytes { counters.reached(.fetchResponseBytes) }
    }

    /// - Returns: false if that would mean waiting for the disk.
    private func read(
        _ found: Partition.View, _ item: Item, room: Int, onlyCached: Bool,
        into data: inout FetchResponse.PartitionData
    ) -> Bool {
        guard let slice = found.slice else { return true }
        do throws(LogError) {
            if let legacyFormat {
                guard room > 0, let partition = item.partition else { return true }
                let reader = LegacyFetch(
                    format: legacyFormat, partition: partition, offset: item.offset,
                    maximumBytes: min(item.maximumBytes, room))
                try reader.read(from: slice, into: &data)
            } else {
                let records: ByteBuffer
                if onlyCached {
                    // What was aborted in a sealed segment is in a file.
                    guard found.aborted?.isInMemory ?? true,
                        let cached = try slice.readCached(verifyingChecksums: found.isOfEarlierRun)
                    else { return false }
                    records = cached
                } else {
                    records = try slice.read(verifyingChecksums: found.isOfEarlierRun)
                }
                if let search = found.aborted, !search.isEmpty, let end = Self.end(of: records) {
                    data.abortedTransactions = try search.find(before: end).map {
                        .init(producerID: $0.producerID, firstOffset: $0.firstOffset.rawValue)
                    }
                }
                data.records = records
            }
        } catch {
            item.partition?.complain(about: item.offset, error)
            data.errorCode = .kafkaStorageError
        }
        return true
    }

    /// The offset after the last of these batches.
    private static func end(of records: ByteBuffer) -> Offset? {
        var end: Offset?
        _ = try? RecordBatchHeader.walk(records) { header, _ in
            end = header.nextOffset
            return true
        }
        return end
    }
}
