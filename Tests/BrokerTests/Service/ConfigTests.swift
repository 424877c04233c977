import KafkaProtocol
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// Settings of topics: described, altered, kept, obeyed.
@Suite struct ConfigTests {
    private static func describe(
        _ client: RawClient, _ topic: String = "t"
    ) async throws -> DescribeConfigsResponse.DescribeConfigsResult? {
        try await client.ask(
            DescribeConfigsRequest(
                resources: [.init(resourceType: 2, resourceName: topic)], includeSynonyms: true,
                includeDocumentation: true)
        ).results.first
    }

    private static func value(_ client: RawClient, _ name: String) async throws -> String? {
        try await self.describe(client)?.configs.first { $0.name == name }?.value
    }

    private static func alter(
        _ client: RawClient, _ operation: ConfigOperation, _ name: String, _ value: String?,
        validateOnly: Bool = false
    ) async throws -> ErrorCode? {
        let answer = try await client.ask(
            IncrementalAlterConfigsRequest(
                resources: [
                    .init(
                        resourceType: 2, resourceName: "t",
                        configs: [.init(name: name, configOperation: operation.rawValue, value: value)])
                ], validateOnly: validateOnly)
        ).responses.first
        #expect((answer?.errorCode == ErrorCode.none) == (answer?.errorMessage == nil))
        return answer?.errorCode
    }

    @Test func settingsAreDescribedWithTheirSources() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            #expect(try await Self.alter(client, .set, "retention.ms", "5000") == ErrorCode.none)
            let result = try #require(try await Self.describe(client))
            #expect(result.configs.count == TopicSetting.all.count)
            let retention = try #require(result.configs.first { $0.name == "retention.ms" })
            #expect(retention.value == "5000" && retention.configSource == ConfigSource.topic.rawValue)
            #expect(retention.synonyms.map(\.value) == ["5000", "604800000"])
            #expect(retention.documentation?.contains("Age at which") == true)
            let delay = try #require(result.configs.first { $0.name == "file.delete.delay.ms" })
            #expect(delay.documentation?.contains("does not act on it: whoever reads") == true)
            let size = try #require(result.configs.first { $0.name == "max.message.bytes" })
            #expect(size.value == "1048588" && size.configSource == ConfigSource.defaultValue.rawValue)
            #expect(try await Self.describe(client, "missing")?.errorCode == .unknownTopicOrPartition)
            let some = try await client.ask(
                DescribeConfigsRequest(resources: [
                    .init(resourceType: 2, resourceName: "t", configurationKeys: ["segment.ms"])
                ]))
            #expect(some.results.first?.configs.map(\.name) == ["segment.ms"])
        }
    }

    @Test func theBrokersSettingsCanBeReadOnly() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let own = try await client.ask(
                DescribeConfigsRequest(resources: [.init(resourceType: 4, resourceName: "1")]))
            let configs = try #require(own.results.first?.configs)
            #expect(configs.allSatisfy { $0.readOnly })
            #expect(configs.first { $0.name == "message.max.bytes" }?.value == "1048588")
            let other = try await client.ask(
                DescribeConfigsRequest(resources: [.init(resourceType: 4, resourceName: "7")]))
            #expect(other.results.first?.errorCode == .invalidRequest)
            let altered = try await client.ask(
                AlterConfigsRequest(resources: [.init(resourceType: 4, resourceName: "1")]))
            #expect(altered.responses.first?.errorCode == .invalidRequest)
        }
    }

    @Test func impossibleValuesAreRefused() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            for (name, value) in [
                ("retention.ms", "-2"), ("retention.ms", "soon"), ("segment.bytes", "13"), ("segment.ms", "0"),
                ("min.insync.replicas", "0"), ("max.message.bytes", "-1"), ("cleanup.policy", "burn"),
                ("cleanup.policy", "delete,delete"), ("message.timestamp.type", "Never"),
                ("compression.type", "lz5"), ("min.cleanable.dirty.ratio", "1.5"), ("preallocate", "maybe"),
                ("no.such.setting", "1"),
            ] {
                #expect(try await Self.alter(client, .set, name, value) == .invalidConfig, "\(name)=\(value)")
            }
            #expect(try await Self.alter(client, .set, "retention.ms", nil) == .invalidConfig)
            #expect(try await Self.alter(client, .append, "retention.ms", "5") == .invalidConfig)
            let created = try await client.ask(
                CreateTopicsRequest(topics: [
                    .init(
                        name: "u", numPartitions: 1, replicationFactor: 1,
                        configs: [.init(name: "cleanup.policy", value: "burn")])
                ]))
            #expect(created.topics.map(\.errorCode) == [.invalidConfig])
            #expect(broker.log.matching("now has").isEmpty)
        }
    }

    /// Many topics in one request are one write of the catalogue; a topic that is named twice is no change of it.
    @Test func aRequestWritesTheCatalogueOnce() async throws {
        let disk = TestKit.FaultyFileSystem()
        try await withBroker(in: TemporaryDirectory(), fileSystem: disk) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["a", "b", "t"]))
            func catalogueWrites() -> Int {
                disk.operations.count { $0.kind == .rename && $0.path.hasSuffix(CatalogFile.name + ".tmp") }
            }
            let before = catalogueWrites()
            #expect(before > 0)
            func resource(_ name: String, _ value: String) -> IncrementalAlterConfigsRequest.AlterConfigsResource {
                .init(
                    resourceType: 2, resourceName: name,
                    configs: [.init(name: "retention.ms", configOperation: 0, value: value)])
            }
            let answer = try await client.ask(
                IncrementalAlterConfigsRequest(resources: [
                    resource("a", "1000"), resource("t", "2000"), resource("missing", "1"), resource("t", "3000"),
                    resource("b", "4000"),
                ])
            ).responses
            #expect(answer.map(\.resourceName) == ["a", "t", "missing", "t", "b"])
            #expect(
                answer.map(\.errorCode)
                    == [.none, .invalidRequest, .unknownTopicOrPartition, .invalidRequest, .none])
            #expect(answer[1].errorMessage == "Each resource must appear at most once.")
            #expect(catalogueWrites() == before + 1)
            #expect(try await Self.value(client, "retention.ms") == "604800000")
            #expect(try await Self.describe(client, "b")?.configs.first { $0.name == "retention.ms" }?.value == "4000")
            // What is so already is not written again.
            _ = try await client.ask(IncrementalAlterConfigsRequest(resources: [resource("a", "1000")]))
            #expect(catalogueWrites() == before + 1)

            let twice = AlterConfigsRequest.AlterConfigsResource(resourceType: 2, resourceName: "a")
            let replaced = try await client.ask(AlterConfigsRequest(resources: [twice, twice]))
            #expect(replaced.responses.map(\.errorCode) == [.invalidRequest, .invalidRequest])
            #expect(catalogueWrites() == before + 1)

            disk.setRule { $0.path.hasSuffix(CatalogFile.name + ".tmp") ? .fail(5) : .proceed }
            let failed = try await client.ask(
                IncrementalAlterConfigsRequest(resources: [resource("a", "7"), resource("missing", "1")]))
            #expect(failed.responses.map(\.errorCode) == [.kafkaStorageError, .unknownTopicOrPartition])
            disk.setRule { _ in .proceed }
            #expect(try await Self.describe(client, "a")?.configs.first { $0.name == "retention.ms" }?.value == "1000")
        }
    }

    @Test func changesAreKeptAcrossARestart() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            #expect(try await Self.alter(client, .append, "cleanup.policy", "compact") == ErrorCode.none)
            #expect(try await Self.alter(client, .set, "segment.bytes", "5000") == ErrorCode.none)
            #expect(try await Self.alter(client, .set, "segment.ms", "7", validateOnly: true) == ErrorCode.none)
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await Self.value(client, "cleanup.policy") == "delete,compact")
            #expect(try await Self.value(client, "segment.bytes") == "5000")
            #expect(try await Self.value(client, "segment.ms") == "604800000")
            #expect(try await Self.alter(client, .subtract, "cleanup.policy", "delete") == ErrorCode.none)
            #expect(try await Self.value(client, "cleanup.policy") == "compact")
            #expect(try await Self.alter(client, .delete, "segment.bytes", nil) == ErrorCode.none)
            #expect(try await Self.value(client, "segment.bytes") == "\(1 << 30)")
        }
    }

    @Test func alterConfigsReplacesAllThatWasSet() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            #expect(try await Self.alter(client, .set, "segment.ms", "7") == ErrorCode.none)
            let answer = try await client.ask(
                AlterConfigsRequest(resources: [
                    .init(resourceType: 2, resourceName: "t", configs: [.init(name: "retention.ms", value: "9")])
                ]))
            #expect(answer.responses.map(\.errorCode) == [ErrorCode.none])
            #expect(try await Self.value(client, "retention.ms") == "9")
            #expect(try await Self.value(client, "segment.ms") == "604800000")
        }
    }

    @Test func theLargestBatchIsObeyedAtOnce() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let request = try Requests.produce([String(repeating: "x", count: 500)], to: "t")
            #expect(try await client.ask(request).only.errorCode == ErrorCode.none)
            #expect(try await Self.alter(client, .set, "max.message.bytes", "400") == ErrorCode.none)
            #expect(try await client.ask(request).only.errorCode == .messageTooLarge)
        }
    }

    @Test func moreReplicasThanBrokersRefuseAcksAll() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            #expect(try await Self.alter(client, .set, "min.insync.replicas", "2") == ErrorCode.none)
            let all = try await client.ask(try Requests.produce(["x"], to: "t")).only
            #expect(all.errorCode == .notEnoughReplicas)
            let one = try await client.ask(try Requests.produce(["x"], to: "t", acks: 1)).only
            #expect(one.errorCode == ErrorCode.none)
        }
    }

    @Test func withLogAppendTimeRecordsGetTheBrokersTime() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            #expect(try await Self.alter(client, .set, "message.timestamp.type", "LogAppendTime") == ErrorCode.none)
            let answer = try await client.ask(try Requests.produce(["x", "y"], to: "t")).only
            #expect(answer.logAppendTimeMs > 1_000_000)
            let fetched = try await client.ask(Requests.fetch("t"))
            let records = try EncodedBatch.split(try #require(fetched.only.records)).whole.flatMap { try $0.records() }
            #expect(records.map(\.timestamp) == [answer.logAppendTimeMs, answer.logAppendTimeMs])
            let old = try await client.ask(Requests.fetch("t"), version: 2)
            let messages = try LegacyMessageSet.records(in: try #require(old.only.records))
            #expect(messages.map(\.timestamp) == [answer.logAppendTimeMs, answer.logAppendTimeMs])
        }
    }
}
