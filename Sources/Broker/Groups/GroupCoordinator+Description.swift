import KafkaProtocol
import NIOCore
import OrderedCollections

/// What groups there are and what they do.
extension GroupCoordinator {
    func describe(
        _ ids: [String], answer: @escaping @Sendable ([DescribeGroupsResponse.DescribedGroup]) -> Void
    ) {
        self.onLoop {
            answer(
                ids.map { id in
                    self.rooms.value.groups[id]?.group.description ?? .init(groupID: id, groupState: "Dead")
                })
        }
    }

    /// Every group for the metrics; `answer` is called on the groups' event loop.
    func standings(answer: @escaping @Sendable ([BrokerReport.Standing]) -> Void) {
        self.eventLoop.execute {
            answer(
                self.rooms.value.groups.map { id, room in
                    .init(group: id, members: room.group.members.count, offsets: room.offsets.byPartition)
                })
        }
    }

    func list(answer: @escaping @Sendable ([ListGroupsResponse.ListedGroup]) -> Void) {
        self.onLoop {
            answer(self.rooms.value.groups.values.map(\.group.listing).sorted { $0.groupID < $1.groupID })
        }
    }
}
