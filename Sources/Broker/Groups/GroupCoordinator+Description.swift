import KafkaProtocol
import NIOCore

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

    func list(answer: @escaping @Sendable ([ListGroupsResponse.ListedGroup]) -> Void) {
        self.onLoop {
            answer(self.rooms.value.groups.values.map(\.group.listing).sorted { $0.groupID < $1.groupID })
        }
    }
}
