import Glibc
import KafkaProtocol
import RecordBatch
import TestKit
import Testing

@testable import KafkaClient

private let bootstrapOfAnyCluster = getenv("WEIR_TEST_BOOTSTRAP").map { String(cString: $0) }

/// The client against whatever cluster `WEIR_TEST_BOOTSTRAP` names, as a check that it needs nothing of our own
/// broker.
@Suite(.serialized, .enabled(if: bootstrapOfAnyCluster != nil, "WEIR_TEST_BOOTSTRAP names no cluster"))
struct AnyClusterTests {
    private func withCluster(_ body: (Cluster, LogLines) async throws -> Void) async throws {
        let lines = LogLines()
        let addresses = try BrokerAddress.list(parsing: try #require(bootstrapOfAnyCluster))
        let cluster = Cluster(configuration: ClientConfiguration(bootstrap: addresses), logger: lines.logger)
        defer { cluster.close() }
        do {
            try await body(cluster, lines)
        } catch {
            for line in lines.all.suffix(40) { print(line) }
            throw error
        }
    }

    private func freshName(_ prefix: String) throws -> TopicName {
        try topic("\(prefix)-\(UInt32.random(in: 0 ... .max))")
    }

    private func configuration(_ group: String, _ topics: TopicSelection) -> GroupConsumerConfiguration {
        GroupConsumerConfiguration(
            group: group, topics: topics, sessionTimeout: .seconds(6), heartbeatInterval: .milliseconds(500))
    }

    @Test func recordsArriveOnceAndInOrderWithinTheirPartition() async throws {
        try await withCluster { cluster, _ in
            let name = try freshName("weir.order")
            let producer = Producer(cluster: cluster, configuration: ProducerConfiguration(compression: .lz4))
            let reader = try Reader(cluster, configuration(name.rawValue, .named([name])), commits: true)
            for value in 0..<200 {
                _ = try await producer.send(
                    ProducerMessage(topic: name, key: bytes("\(value % 7)"), value: bytes("\(value)")))
            }
            try await eventually("all are read") { reader.records.count >= 200 }
            #expect(Set(reader.values).count == 200 && reader.records.count == 200)
            for key in 0..<7 {
                let numbers = reader.values.compactMap { Int($0) }.filter { $0 % 7 == key }
                #expect(numbers == numbers.sorted())
            }
            let partitions = Set(reader.records.map(\.partition))
            let ends = try await Admin(cluster: cluster).endOffsets(Array(partitions))
            #expect(ends.values.reduce(0) { $0 + $1.rawValue } == 200)
            try await reader.cancel()
            await producer.close()
        }
    }

    @Test func membersShareAndTakeOver() async throws {
        try await withCluster { cluster, _ in
            let name = try freshName("weir.share")
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: name)
            let count = try #require(try await cluster.metadata(of: [name]).partitionCount(of: name))
            let first = try Reader(cluster, configuration(name.rawValue, .named([name])), commits: true)
            try await eventually("the first has all") { first.consumer.assignment.count == count }
            try await eventually("it has committed what it read") {
                let offsets = try await Admin(cluster: cluster).committedOffsets(
                    group: name.rawValue, of: first.consumer.assignment)
                return offsets.values.contains(1)
            }
            let second = try Reader(cluster, configuration(name.rawValue, .named([name])), commits: true)
            try await eventually("they share") {
                !second.consumer.assignment.isEmpty
                    && first.consumer.assignment.count + second.consumer.assignment.count == count
            }
            try await first.cancel()
            try await eventually("the second has all") { second.consumer.assignment.count == count }
            try await producer.write(["b"], to: name)
            try await eventually("it reads on") { second.values.contains("b") }
            #expect(first.values + second.values == ["a", "b"])
            try await second.cancel()
            await producer.close()
        }
    }

    @Test func newTopicOfAPatternIsFound() async throws {
        try await withCluster { cluster, _ in
            let prefix = try freshName("weir.pattern").rawValue
            let producer = Producer(cluster: cluster)
            try await producer.write(["a"], to: try topic("\(prefix).a"))
            let reader = try Reader(cluster, configuration(prefix, .pattern("\(prefix)\\..*")), commits: true)
            try await eventually("the first is read") { reader.values == ["a"] }
            try await producer.write(["b"], to: try topic("\(prefix).b"))
            try await eventually("the second is read") { reader.values == ["a", "b"] }
            try await reader.cancel()
            await producer.close()
        }
    }
}
