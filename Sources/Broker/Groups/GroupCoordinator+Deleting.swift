import KafkaProtocol
import NIOCore
import OrderedCollections

/// Forgetting groups and single offsets at an administrator's wish.
extension GroupCoordinator {
    /// Forgets empty groups; the answer, a code for each, comes when all of that is as durable as a commit.
    func delete(groups ids: [String], answer: @escaping @Sendable ([ErrorCode]) -> Void) {
        guard !ids.isEmpty else { return answer([]) }
        self.onLoop {
            let pending = NIOLoopBound(PendingDeletions(count: ids.count), eventLoop: self.eventLoop)
            for (index, id) in ids.enumerated() {
                self.delete(group: id) { code in
                    let pending = pending.value
                    pending.codes[index] = code
                    pending.missing -= 1
                    if pending.missing == 0 { answer(pending.codes) }
                }
            }
        }
    }

    private func delete(group id: String, answer: @escaping @Sendable (ErrorCode) -> Void) {
        self.onLoop {
            guard !self.rooms.value.isStopping else { return answer(.coordinatorNotAvailable) }
            guard let room = self.rooms.value.groups[id] else { return answer(.groupIDNotFound) }
            guard room.group.isDeserted, room.pending.isEmpty else { return answer(.nonEmptyGroup) }
            var changes = room.offsets.byPartition.keys.sorted().map { OffsetsTopic.Change.offset($0, nil) }
            changes.append(.metadata(nil))
            self.appendDurably(changes, id, answer) {
                room.timer?.cancel()
                self.rooms.value.groups[id] = nil
            }
        }
    }

    /// Forgets single offsets.
    ///
    /// - Parameter answer: the code of the whole request, and the topics whose offsets stay as members subscribe to them.
    func deleteOffsets(
        _ names: [PartitionName], group id: String,
        answer: @escaping @Sendable (ErrorCode, _ subscribed: Set<String>) -> Void
    ) {
        self.onLoop {
            guard !self.rooms.value.isStopping else { return answer(.coordinatorNotAvailable, []) }
            guard let room = self.rooms.value.groups[id] else { return answer(.groupIDNotFound, []) }
            var subscribed: Set<String> = []
            if !room.group.isDeserted {
                guard let topics = room.group.subscribedTopics else { return answer(.nonEmptyGroup, []) }
                subscribed = topics
            }
            let gone = names.filter { room.offsets[$0] != nil && !subscribed.contains($0.topic) }
            guard !gone.isEmpty else { return answer(.none, subscribed) }
            self.appendDurably(gone.map { .offset($0, nil) }, id, { [subscribed] in answer($0, subscribed) }) {
                for name in gone { self.rooms.value.groups[id]?.offsets[name] = nil }
                self.forgetIfDeserted(id)
            }
        }
    }

    /// Appends, then has `apply` change the memory; answers when the records are as durable as a commit.
    private func appendDurably(
        _ changes: [OffsetsTopic.Change], _ id: String, _ answer: @escaping @Sendable (ErrorCode) -> Void,
        _ apply: () -> Void
    ) {
        let sync = self.waitsForSync ? SyncWait(eventLoop: self.eventLoop, done: answer) : nil
        switch self.topic.append(changes, group: id, sync: sync) {
        case .success(let receipt):
            apply()
            if !receipt.waitsForSync { answer(.none) }
            self.countAppend()
        case .failure(let refusal):
            self.complain(id, refusal)
            answer(.coordinatorNotAvailable)
        }
    }
}

extension ConsumerGroup {
    private static let consumerProtocolType = "consumer"

    /// The topics that the members subscribe to; nil if they are no consumers, or do not say it in a way we know.
    var subscribedTopics: Set<String>? {
        guard self.protocolType == Self.consumerProtocolType else { return nil }
        var topics: Set<String> = []
        for member in self.members.values {
            for offered in member.protocols {
                guard let said = try? ConsumerProtocolSubscription(versioned: offered.metadata, acceptingNewer: true)
                else { return nil }
                topics.formUnion(said.topics)
            }
        }
        return topics
    }
}

/// The codes of groups that are being deleted, until all are there. Lives on the groups' event loop.
private final class PendingDeletions {
    var codes: [ErrorCode]
    var missing: Int

    init(count: Int) {
        self.codes = Array(repeating: .none, count: count)
        self.missing = count
    }
}
