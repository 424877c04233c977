import KafkaProtocol
import Testing

@testable import Broker

/// What the broker offers to clients, which choose features by it.
@Suite struct APITableTests {
    /// The newest version of each API that clients are promised. All begin at 0.
    private static let promised: [APIKey: Int16] = [
        .produce: 9, .fetch: 12, .listOffsets: 7, .metadata: 12, .offsetCommit: 8, .offsetFetch: 8,
        .findCoordinator: 4, .joinGroup: 7, .heartbeat: 4, .leaveGroup: 4, .syncGroup: 5, .describeGroups: 5,
        .listGroups: 4, .apiVersions: 4, .createTopics: 7, .deleteTopics: 6, .deleteRecords: 2, .initProducerId: 4,
        .offsetForLeaderEpoch: 4, .describeConfigs: 4, .alterConfigs: 2, .describeLogDirs: 4, .createPartitions: 3,
        .deleteGroups: 2, .incrementalAlterConfigs: 1, .offsetDelete: 0, .describeCluster: 1,
        .describeTopicPartitions: 0,
    ]

    @Test func whatWasPromisedIsServedFromVersionZero() {
        let served = Dictionary(uniqueKeysWithValues: APITable.entries.map { ($0.key, $0.versions) })
        for (key, newest) in Self.promised {
            #expect(served[key]?.lowerBound == 0, "\(key)")
            #expect((served[key]?.upperBound ?? -1) >= newest, "\(key)")
        }
    }

    @Test func everyAPIIsServedByOneHandler() {
        #expect(Set(APITable.entries.map(\.key)).count == APITable.entries.count)
    }
}
