import Logging
import NIOCore
import OrderedCollections

/// How much memory members may take: what they offer and are assigned stays as long as they do.
extension GroupCoordinator {
    /// Whether members may bring so many bytes each; says and counts it when they may not.
    func hasRoom(forMemberBytes sizes: [Int], group id: String) -> Bool {
        if let largest = sizes.max(), largest > self.limits.memberBytes {
            self.refuseMember(
                id, .memberBytes, "\(largest) bytes for one member are over the limit of \(self.limits.memberBytes)")
            return false
        }
        let all = self.rooms.value.memberBytes + sizes.reduce(0, +)
        guard all <= self.limits.groupBytes else {
            self.refuseMember(
                id, .groupBytes,
                "\(all) bytes for the members of all groups are over the limit of \(self.limits.groupBytes)")
            return false
        }
        return true
    }

    func refuseMember(_ id: String, _ limit: BrokerLimit, _ reason: String) {
        self.counters.reached(limit)
        self.logger.warning("group \(id.debugDescription): a member is refused: \(reason); see docs/limits.md")
    }

    func countMemberBytes(of group: ConsumerGroup) {
        guard let before = self.rooms.value.groups[group.id]?.memberBytes else { return }
        let bytes = group.memberBytes
        guard bytes != before else { return }
        self.rooms.value.groups[group.id]?.memberBytes = bytes
        self.rooms.value.memberBytes += bytes - before
    }
}

extension ConsumerGroup {
    /// Bytes of what the members offer and are assigned.
    var memberBytes: Int {
        self.members.values.reduce(0) { sum, member in
            member.protocols.reduce(sum + member.assignment.readableBytes) {
                $0 + $1.name.utf8.count + $1.metadata.readableBytes
            }
        }
    }
}
