import KafkaProtocol
import NIOCore
import OrderedCollections

/// What a group must remember across a restart: Kafka's group metadata record.
extension ConsumerGroup {
    /// A member's protocols are stored as the one that the group chose, as Kafka does.
    func stored(at wallMilliseconds: Int64) -> GroupMetadataValue {
        GroupMetadataValue(
            protocolType: self.protocolType ?? "", generation: self.generation, protocol: self.protocolName,
            leader: self.leaderID, currentStateTimestamp: wallMilliseconds,
            members: self.members.values.map { member in
                GroupMetadataValue.MemberMetadata(
                    memberID: member.id, groupInstanceID: member.instanceID, clientID: member.clientID,
                    clientHost: member.clientHost,
                    rebalanceTimeout: Int32(clamping: member.rebalanceTimeout.milliseconds),
                    sessionTimeout: Int32(clamping: member.sessionTimeout.milliseconds),
                    subscription: self.protocolName.flatMap { member.metadata(for: $0) } ?? ByteBuffer(),
                    assignment: member.assignment)
            })
    }

    /// The group as it was: its members go on where they were if they are heard of within their session timeouts.
    init(id: String, settings: GroupSettings, restoring stored: GroupMetadataValue, now: NIODeadline) {
        self.init(id: id, settings: settings)
        self.generation = stored.generation
        self.protocolType = stored.protocolType.isEmpty ? nil : stored.protocolType
        guard !stored.members.isEmpty, let name = stored.protocol else { return }
        self.protocolName = name
        self.leaderID = stored.leader
        for member in stored.members {
            let sessionTimeout = TimeAmount.milliseconds(Int64(max(1, member.sessionTimeout)))
            let rebalanceTimeout =
                member.rebalanceTimeout > 0 ? TimeAmount.milliseconds(Int64(member.rebalanceTimeout)) : sessionTimeout
            self.members[member.memberID] = GroupMember(
                id: member.memberID, instanceID: member.groupInstanceID, clientID: member.clientID,
                clientHost: member.clientHost, sessionTimeout: sessionTimeout, rebalanceTimeout: rebalanceTimeout,
                protocols: [GroupProtocol(name: name, metadata: member.subscription)],
                assignment: member.assignment, sessionDeadline: now + sessionTimeout)
            if let instanceID = member.groupInstanceID { self.staticMemberIDs[instanceID] = member.memberID }
        }
        self.phase = .stable
    }
}

extension TimeAmount {
    /// Whole milliseconds, as the wire has them.
    var milliseconds: Int64 { self.nanoseconds / 1_000_000 }
}
