import KafkaProtocol
import RecordBatch
import TestKit
import Testing

@testable import KafkaClient

/// The admin calls against the embedded broker.
@Suite struct AdminTests {
    @Test func topicsAreCreatedDescribedAndDeleted() async throws {
        try await TestBroker.with { _, cluster in
            let admin = Admin(cluster: cluster)
            let name = try topic("metrics.cpu")
            try await admin.createTopic(NewTopic(name: name, partitions: 3))
            let description = try await admin.describeTopics([name])[0]
            #expect(description.partitions.map(\.index) == [0, 1, 2])
            #expect(description.partitions.allSatisfy { $0.leader != nil && !$0.inSyncReplicas.isEmpty })
            await #expect {
                try await admin.createTopic(NewTopic(name: name))
            } throws: { error in
                (error as? KafkaClientError)?.code == .topicAlreadyExists && "\(error)".contains("metrics.cpu")
            }
            let failures = try await admin.createTopics([
                NewTopic(name: try topic("good")), NewTopic(name: try topic("bad"), partitions: 0),
            ])
            #expect(failures.keys.map(\.rawValue) == ["bad"])
            #expect(try await admin.listTopics().map(\.name.rawValue) == ["good", "metrics.cpu"])
            try await admin.deleteTopic(name)
            #expect(try await admin.listTopics().map(\.name.rawValue) == ["good"])
            await #expect {
                try await admin.deleteTopic(name)
            } throws: { error in
                (error as? KafkaClientError)?.code == .unknownTopicOrPartition
            }
        }
    }

    @Test func offsetsAreLookedUpByPlaceAndTime() async throws {
        try await TestBroker.with { _, cluster in
            let admin = Admin(cluster: cluster)
            let producer = Producer(cluster: cluster)
            let target = try partition("t")
            // Batches of timestamps 1000, 1001, 1002.
            for _ in 0..<2 { _ = try await producer.send(try batch(["a", "b", "c"]), to: target) }
            #expect(try await admin.startOffsets([target]) == [target: 0])
            #expect(try await admin.endOffsets([target]) == [target: 6])
            #expect(try await admin.offsets(of: [target], atTimestamp: 1002) == [target: 2])
            #expect(try await admin.offsets(of: [target], atTimestamp: 5000).isEmpty)
            let missing = try partition("t", 7)
            await #expect(throws: KafkaClientError.unknownPartition(missing)) {
                try await admin.endOffsets([missing])
            }
            await producer.close()
        }
    }

    @Test func groupsAreListedWithTheirMembersAndOffsets() async throws {
        try await TestBroker.with { _, cluster in
            let admin = Admin(cluster: cluster)
            #expect(try await admin.listGroups().isEmpty)
            let name = try topic("t")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a", "b"], to: name)
            let reader = try Reader(cluster, .quick("lab", .named([name])), commits: true)
            try await eventually("it has committed") {
                try await admin.committedOffsets(group: "lab") == [try partition("t"): 2]
            }
            #expect(try await admin.listGroups().map(\.group) == ["lab"])
            let group = try await admin.describeGroups(["lab", "unheard-of"])
            #expect(group[0].members.map(\.clientID) == ["tests"])
            #expect(group[0].members[0].partitions == [try partition("t")])
            #expect(group[1].state == "Dead" && group[1].members.isEmpty)
            #expect(try await admin.committedOffsets(group: "unheard-of").isEmpty)
            try await reader.cancel()
            await producer.close()
        }
    }
}
