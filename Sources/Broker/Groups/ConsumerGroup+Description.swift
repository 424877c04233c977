import KafkaProtocol
import NIOCore
import OrderedCollections

/// The group in Kafka's words, for DescribeGroups and ListGroups.
extension ConsumerGroup {
    var stateName: String {
        switch self.phase {
        case .empty: "Empty"
        case .preparingRebalance: "PreparingRebalance"
        case .completingRebalance: "CompletingRebalance"
        case .stable: "Stable"
        }
    }

    var description: DescribeGroupsResponse.DescribedGroup {
        let isStable = self.phase == .stable
        return DescribeGroupsResponse.DescribedGroup(
            groupID: self.id, groupState: self.stateName, protocolType: self.protocolType ?? "",
            protocolData: isStable ? self.protocolName ?? "" : "",
            members: self.members.values.map { member in
                DescribeGroupsResponse.DescribedGroupMember(
                    memberID: member.id, groupInstanceID: member.instanceID, clientID: member.clientID,
                    clientHost: "/" + member.clientHost,
                    memberMetadata: isStable
                        ? self.protocolName.flatMap { member.metadata(for: $0) } ?? ByteBuffer() : ByteBuffer(),
                    memberAssignment: isStable ? member.assignment : ByteBuffer())
            })
    }

    var listing: ListGroupsResponse.ListedGroup {
        ListGroupsResponse.ListedGroup(
            groupID: self.id, protocolType: self.protocolType ?? "", groupState: self.stateName)
    }
}
