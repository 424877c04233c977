import FoundationEssentials
import Instruments
import KafkaProtocol
import MetricModel
import MetricRegistry
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// What a broker says of itself through swift-metrics. Each test has a registry of its own.
@Suite struct MetricsTests {
    private let registry = MetricRegistry(describing: BrokerMetrics.all)

    @Test func requestsTopicsAndLogsAreCountedAsTheyWere() async throws {
        try await withBroker(in: TemporaryDirectory(), metrics: self.registry) { broker in
            let client = try await broker.connect()
            let batch = try Requests.batch(["a", "b", "c"])
            for _ in 0..<2 { _ = try await client.ask(Requests.produce(batch, to: "t")) }
            let fetched = try await client.ask(Requests.fetch("t"))
            let unknown = try await client.ask(Requests.fetch("nothing"))
            #expect(unknown.only.errorCode == .unknownTopicOrPartition)
            await broker.service.reportMetrics()

            #expect(self.value("weir_broker_requests_total", ["api": "Produce"]) == 2)
            #expect(self.value("weir_broker_requests_total", ["api": "Fetch"]) == 2)
            #expect(self.value("weir_broker_requests_total", ["api": "ListGroups"]) == nil, "nobody asked")
            #expect(self.value("weir_broker_request_seconds_count", ["api": "Produce"]) == 2)
            #expect(self.value("weir_broker_request_seconds_bucket", ["api": "Produce", "le": "+Inf"]) == 2)
            #expect(try #require(self.value("weir_broker_request_seconds_sum", ["api": "Produce"])) > 0)
            let sent = try #require(self.value("weir_broker_request_bytes_total", ["api": "Produce"]))
            #expect(sent > Double(2 * batch.bytes.readableBytes) && sent < Double(2 * batch.bytes.readableBytes + 200))
            let bytes = try #require(fetched.only.records?.readableBytes)
            #expect(try #require(self.value("weir_broker_response_bytes_total", ["api": "Fetch"])) > Double(bytes))
            #expect(
                self.value("weir_broker_errors_total", ["api": "Fetch", "error": "UNKNOWN_TOPIC_OR_PARTITION"]) == 1)
            #expect(self.value("weir_broker_errors_total", ["api": "Produce"]) == nil)

            #expect(self.value("weir_broker_produced_records_total", ["topic": "t"]) == 6)
            #expect(
                self.value("weir_broker_produced_bytes_total", ["topic": "t"]) == Double(2 * batch.bytes.readableBytes))
            #expect(self.value("weir_broker_fetched_records_total", ["topic": "t"]) == 6)
            #expect(self.value("weir_broker_fetched_bytes_total", ["topic": "t"]) == Double(bytes))
            #expect(self.value("weir_broker_log_bytes", ["topic": "t"]) == Double(2 * batch.bytes.readableBytes))
            #expect(self.value("weir_broker_log_segments", ["topic": "t"]) == 1)
            #expect(self.value("weir_broker_log_start_offset", ["topic": "t"]) == 0)
            #expect(self.value("weir_broker_log_end_offset", ["topic": "t"]) == 6)
            #expect(try #require(self.value("weir_broker_sync_seconds_count")) >= 1)
            #expect(self.value("weir_broker_connections") == 1)
            #expect(self.value("weir_broker_accepted_connections_total") == 1)
            #expect(self.value("weir_broker_queued_bytes") == 0)
            #expect(self.value("weir_broker_topics") == 1 && self.value("weir_broker_partitions") == 1)
        }
    }

    @Test func oldConsumersRecordsAreCountedToo() async throws {
        try await withBroker(in: TemporaryDirectory(), metrics: self.registry) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(["a", "b", "c"], to: "t"))
            let answer = try await client.ask(Requests.fetch("t"), version: 2)
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_fetched_records_total", ["topic": "t"]) == 3)
            #expect(
                self.value("weir_broker_fetched_bytes_total", ["topic": "t"])
                    == (answer.only.records?.readableBytes).map(Double.init))
        }
    }

    @Test func groupsLagBehindByWhatTheyHaveNotCommitted() async throws {
        try await withBroker(in: TemporaryDirectory(), metrics: self.registry) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(["a", "b", "c", "d", "e"], to: "t"))
            func commit(_ offset: Int64) async throws {
                let topic = OffsetCommitRequest.OffsetCommitRequestTopic(
                    name: "t", partitions: [.init(partitionIndex: 0, committedOffset: offset)])
                let answer = try await client.ask(OffsetCommitRequest(groupID: "g", topics: [topic]))
                #expect(answer.topics.first?.partitions.first?.errorCode == ErrorCode.none)
                await broker.service.reportMetrics()
            }
            try await commit(2)
            #expect(self.value("weir_broker_group_lag_records", ["group": "g", "topic": "t"]) == 3)
            #expect(self.value("weir_broker_groups") == 1)
            #expect(self.value("weir_broker_group_members", ["group": "g"]) == 0)
            try await commit(5)
            #expect(self.value("weir_broker_group_lag_records", ["group": "g", "topic": "t"]) == 0)
            _ = try await client.ask(DeleteGroupsRequest(groupsNames: ["g"]))
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_group_lag_records") == nil, "the group is gone, and its series with it")
        }
    }

    @Test func aDeletedTopicTakesItsSeriesAlongAndTheTotalsStay() async throws {
        try await withBroker(in: TemporaryDirectory(), metrics: self.registry) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(["a", "b"], to: "t"))
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_produced_records_total", ["topic": "t"]) == 2)
            _ = try await client.ask(DeleteTopicsRequest(topicNames: ["t"]), version: 5)
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_produced_records_total") == nil)
            #expect(self.value("weir_broker_log_bytes") == nil)
            #expect(broker.service.statistics.producedRecords == 2)
            _ = try await client.ask(Requests.produce(["c"], to: "t"))
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_produced_records_total", ["topic": "t"]) == 1)
            #expect(broker.service.statistics.producedRecords == 3)
        }
    }

    @Test func logsAreToldByPartitionWhereThatIsWanted() async throws {
        try await withBroker(
            in: TemporaryDirectory(), metrics: self.registry,
            configure: {
                $0.defaultPartitions = 2
                $0.metricsByPartition = true
            }
        ) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            _ = try await client.ask(Requests.produce(["a", "b"], to: "t", partition: 1))
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_log_end_offset", ["topic": "t", "partition": "0"]) == 0)
            #expect(self.value("weir_broker_log_end_offset", ["topic": "t", "partition": "1"]) == 2)
            #expect(self.value("weir_broker_produced_records_total", ["topic": "t"]) == 2)
        }
    }

    @Test func topicsBeyondTheLimitShareOneSeries() async throws {
        try await withBroker(
            in: TemporaryDirectory(), metrics: self.registry, configure: { $0.limits.measuredTopics = 1 }
        ) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(["a"], to: "first"))
            await broker.service.reportMetrics()
            for topic in ["a", "b"] { _ = try await client.ask(Requests.produce(["x", "y"], to: topic)) }
            await broker.service.reportMetrics()
            #expect(self.value("weir_broker_produced_records_total", ["topic": "first"]) == 1)
            #expect(self.value("weir_broker_produced_records_total", ["topic": "(others)"]) == 4)
            #expect(self.value("weir_broker_log_end_offset", ["topic": "(others)"]) == 4)
            #expect(self.value("weir_broker_produced_records_total", ["topic": "a"]) == nil)
        }
    }

    @Test func whatIsBeyondALimitIsCountedByTheLimitsName() async throws {
        try await withBroker(
            in: TemporaryDirectory(), metrics: self.registry,
            configure: {
                $0.limits.batchBytes = 200
                $0.limits.topics = 1
                $0.limits.partitionsPerTopic = 2
                $0.limits.offsetMetadataBytes = 3
                $0.limits.fetchWaitMilliseconds = 1
                $0.limits.connection.frameBytes = 10_000
                $0.limits.connections = 2
            }
        ) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(["a"], to: "t"))
            _ = try await client.ask(try Requests.produce([String(repeating: "x", count: 500)], to: "t"))
            _ = try await client.ask(
                CreateTopicsRequest(topics: [.init(name: "u", numPartitions: 1, replicationFactor: 1)]))
            _ = try await client.ask(
                CreateTopicsRequest(topics: [.init(name: "v", numPartitions: 3, replicationFactor: 1)]))
            let topic = OffsetCommitRequest.OffsetCommitRequestTopic(
                name: "t",
                partitions: [.init(partitionIndex: 0, committedOffset: 1, committedMetadata: "four")])
            _ = try await client.ask(OffsetCommitRequest(groupID: "g", topics: [topic]))
            _ = try await client.ask(Requests.fetch("t", from: 1, waitMs: 100))
            let greedy = try await broker.connect()
            _ = try await greedy.ask(ApiVersionsRequest())
            try await broker.connect().closedByServer()
            try await greedy.send(ByteBuffer(integer: Int32(1_000_000)))
            try await greedy.closedByServer()
            await broker.service.reportMetrics()
            for limit: BrokerLimit in [
                .batchBytes, .topics, .partitionsPerTopic, .offsetMetadataBytes, .fetchWaitMilliseconds, .frameBytes,
                .connections,
            ] {
                #expect(self.value("weir_broker_limit_reached_total", ["limit": limit.name]) == 1, "\(limit)")
            }
            #expect(self.value("weir_broker_unreadable_requests_total") == 1)
            #expect(self.value("weir_broker_limit_reached_total", ["limit": "groups"]) == nil)
        }
    }

    @Test func everyLimitHasACounter() {
        let limits = BrokerLimits()
        let names = [Mirror(reflecting: limits), Mirror(reflecting: limits.connection)]
            .flatMap(\.children).compactMap(\.label).filter { $0 != "connection" }
        #expect(names.count > 15)
        #expect(Set(names) == Set(BrokerLimit.allCases.map(\.name)))
    }

    @Test func everyLimitIsDocumented() throws {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let document = try String(contentsOfFile: "/\(root)/docs/limits.md", encoding: .utf8)
        for limit in BrokerLimit.allCases { #expect(document.contains("`\(limit.name)`"), "\(limit)") }
    }

    @Test func everyMetricIsGivenOutAndEveryOneGivenOutIsKnown() async throws {
        try await withBroker(
            in: TemporaryDirectory(), metrics: self.registry, configure: { $0.limits.fetchWaitMilliseconds = 1 }
        ) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.produce(["a"], to: "t"))
            _ = try await client.ask(Requests.fetch("t", from: 7, waitMs: 5))
            let topic = OffsetCommitRequest.OffsetCommitRequestTopic(
                name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])
            _ = try await client.ask(OffsetCommitRequest(groupID: "g", topics: [topic]))
            await broker.service.reportMetrics()
            let families = self.registry.collect().filter { $0.name.hasPrefix("weir_broker_") }
            #expect(Set(families.map(\.name)) == Set(BrokerMetrics.all.map(\.name)))
            for family in families {
                let metric = BrokerMetrics.all.first { $0.name == family.name }
                #expect(family.kind == metric?.kind && !family.help.isEmpty)
                let labels = family.readings.first?.series.map(\.name).filter { $0 != "__name__" && $0 != "le" }
                #expect(labels == metric?.labels.sorted(), "\(family.name)")
            }
        }
    }

    private func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        self.registry.collect().lazy.flatMap(\.readings).first { reading in
            reading.series.metricName == name && labels.allSatisfy { reading.series[$0.key] == $0.value }
        }?.value
    }
}
