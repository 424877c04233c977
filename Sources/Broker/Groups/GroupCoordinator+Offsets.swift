import KafkaProtocol
import Logging
import NIOCore

/// Committed offsets: stored, asked for, forgotten.
extension GroupCoordinator {
    /// Stores offsets; the answer is one code for all of them.
    func commit(
        _ offsets: [(PartitionName, CommittedOffset)], by caller: GroupCaller, group id: String,
        answer: @escaping @Sendable (ErrorCode) -> Void
    ) {
        self.onLoop {
            guard !self.rooms.value.isStopping else { return answer(.coordinatorNotAvailable) }
            if self.rooms.value.groups[id] == nil {
                guard caller.generation < 0 else { return answer(.illegalGeneration) }
                guard self.admit(id) else { return answer(.policyViolation) }
            }
            let code = self.rooms.value.groups[id]?.group.checkCommit(by: caller, now: self.clock.now())
            guard code == ErrorCode.none, !offsets.isEmpty else {
                self.forgetIfDeserted(id)
                return answer(code ?? .unknownServerError)
            }
            guard self.hasRoom(for: offsets, isPending: false, group: id) else {
                self.forgetIfDeserted(id)
                return answer(.policyViolation)
            }
            let sync = self.waitsForSync ? SyncWait(eventLoop: self.eventLoop, done: answer) : nil
            switch self.topic.append(offsets.map { .offset($0, $1) }, group: id, sync: sync) {
            case .success(let receipt):
                for (name, committed) in offsets {
                    self.rooms.value.groups[id]?.offsets[name] = committed
                    self.rooms.value.groups[id]?.pending.supersede(name, before: receipt.baseOffset)
                }
                if !receipt.waitsForSync { answer(.none) }
                self.countAppend()
            case .failure(let refusal):
                self.complain(id, refusal)
                self.forgetIfDeserted(id)
                answer(.coordinatorNotAvailable)
            }
        }
    }

    /// What groups have committed; those that are not known are left out.
    func committedOffsets(groups ids: Set<String>, answer: @escaping @Sendable ([String: GroupOffsets]) -> Void) {
        self.onLoop {
            let groups = self.rooms.value.groups
            answer(
                ids.reduce(into: [:]) { found, id in
                    found[id] = groups[id].map {
                        GroupOffsets(committed: $0.offsets.byPartition, unstable: $0.pending.partitions)
                    }
                })
        }
    }

    /// Forgets what was committed for a topic that is gone, so that a new one of that name begins afresh.
    func topicDeleted(_ name: String) {
        self.onLoop {
            for (id, room) in self.rooms.value.groups {
                for pending in room.pending.partitions where pending.topic == name {
                    self.rooms.value.groups[id]?.pending.forget(pending)
                }
                let gone = room.offsets.byPartition.keys.filter { $0.topic == name }.sorted()
                guard !gone.isEmpty else { continue }
                self.store(gone.map { .offset($0, nil) }, id)
                for name in gone { self.rooms.value.groups[id]?.offsets[name] = nil }
                self.forgetIfDeserted(id)
            }
        }
    }

    // MARK: Forgetting what is old

    private static let expiryInterval = TimeAmount.minutes(10)

    /// Forgets offsets whose group has had no members for the retention time (KIP-211), and looks again later. Members
    /// keep all offsets of their group.
    func expireOffsets() {
        guard !self.rooms.value.isStopping else { return }
        let limit = self.clock.wallMilliseconds() - self.settings.offsetRetention.milliseconds
        for (id, room) in self.rooms.value.groups where room.group.isDeserted {
            let old = room.offsets.byPartition.filter {
                max($0.value.commitTimestamp, room.emptySince ?? .min) <= limit
            }.keys.sorted()
            guard !old.isEmpty else { continue }
            self.logger.info(
                "group \(id.debugDescription): \(old.count) offsets are past their retention and forgotten")
            self.store(old.map { .offset($0, nil) }, id)
            for name in old { self.rooms.value.groups[id]?.offsets[name] = nil }
            self.forgetIfDeserted(id)
        }
        self.rooms.value.expiry = self.eventLoop.scheduleTask(in: Self.expiryInterval) { self.expireOffsets() }
    }

    // MARK: Keeping the topic small

    private static let appendsBetweenLooks = 1_000

    func countAppend() {
        self.rooms.value.appendsSinceLook += 1
        if self.rooms.value.appendsSinceLook >= Self.appendsBetweenLooks { self.rewriteIfGrown() }
    }

    func rewriteIfGrown() {
        self.rooms.value.appendsSinceLook = 0
        let grown = self.topic.grown(beyond: self.offsetsTopicBytes, since: self.rooms.value.rewrittenBytes)
        guard !grown.isEmpty, let count = self.topic.catalog.topic(Topic.offsetsTopicName)?.partitions.count else {
            return
        }
        let now = self.clock.wallMilliseconds()
        let memories = self.rooms.value.groups.mapValues { room in
            OffsetsTopic.Memory(
                metadata: room.group.generation > 0 ? room.group.stored(at: now) : nil, offsets: room.offsets,
                pending: room.pending)
        }
        self.counters.reached(.offsetsTopicBytes, times: grown.count)
        for partition in grown {
            self.rooms.value.rewrittenBytes[partition.index] = self.topic.rewrite(
                partition, of: count, with: memories)
        }
    }
}
