import CoreMetrics
import Instruments
import KafkaClient
import KafkaProtocol
import MetricModel
import MetricRegistry
import ServiceLifecycle
import TestKit
import Testing

@testable import MetricAgent

/// The metrics of the process itself on their way to `metrics.weir`.
@Suite struct SelfMetricsTests {
    /// Reports a number that grows by one each time it is asked.
    private final class Ticking: Measured {
        private let counter: CoreMetrics.Counter

        init(_ registry: MetricRegistry) { counter = Counter(label: "test_reports_total", factory: registry) }

        func reportMetrics() async { counter.increment() }
    }

    private let directory: TemporaryDirectory
    private let log = LogLines()
    private let registry = MetricRegistry(describing: AgentMetrics.all, constantLabels: ["job": "test"])
    private let services = MeasuredServices()

    init() throws {
        directory = try TemporaryDirectory("weir self")
    }

    private func agent(_ collectors: [CollectorName], _ publisher: RecordingPublisher) throws -> AgentService {
        let configuration = AgentConfiguration(
            bootstrap: [BrokerAddress(host: "127.0.0.1", port: 1)], instance: "host", interval: .milliseconds(20),
            collectors: collectors, spoolDirectory: directory.appending("spool"))
        let agent = try AgentService(
            configuration: configuration, logger: log.logger, metrics: registry,
            selfMetrics: SelfMetrics(registry, every: .milliseconds(20), of: services)
        ) { publisher }
        services.add(agent)
        return agent
    }

    private func running(_ agent: AgentService, until condition: () async throws -> Bool) async throws {
        let group = ServiceGroup(services: [agent], logger: log.logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            try await eventually("the condition holds", condition)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test func `one record an interval, keyed by the instance, asked of every service anew`() async throws {
        let publisher = RecordingPublisher()
        services.add(Ticking(registry))
        let topic = try TopicName("metrics.weir")
        try await running(try agent([], publisher)) { try publisher.records(of: topic).count >= 4 }
        let records = try publisher.records(of: topic)
        #expect(records.map(\.sequence) == Array(0..<Int64(records.count)))
        for (index, record) in records.enumerated() {
            #expect(record.key == "host")
            let expected = #"test_reports_total{instance="host",job="test"} \#(index + 1) \#(record.timestamp)"#
            #expect(record.text.split(separator: "\n").contains(expected[...]), "\(record.text)")
        }
    }

    @Test func `they go through the spool, so what is counted while the broker is away arrives later`() async throws {
        services.add(Ticking(registry))
        let away = RecordingPublisher(isAway: true)
        let first = try agent([.load], away)
        try await running(first) { first.statistics.recordsWaiting >= 6 }
        let publisher = RecordingPublisher()
        let topic = try TopicName("metrics.weir")
        try await running(try agent([.load], publisher)) { try publisher.records(of: topic).count >= 8 }
        let records = try publisher.records(of: topic)
        #expect(records.map(\.sequence) == Array(0..<Int64(records.count)))
        #expect(try !publisher.records(of: TopicName("metrics.load")).isEmpty)
    }

    @Test func `the agent's own numbers are among them`() async throws {
        let publisher = RecordingPublisher()
        let agent = try agent([.load], publisher)
        try await running(agent) { agent.statistics.recordsPublished >= 4 }
        await agent.reportMetrics()
        let statistics = agent.statistics
        let values = registry.collect().flatMap(\.readings).reduce(into: [String: Double]()) {
            $0[$1.series.metricName] = $1.value
        }
        #expect(values["weir_agent_collected_samples_total"] == Double(statistics.samplesCollected))
        #expect(values["weir_agent_spooled_samples_total"] == Double(statistics.samplesAccepted))
        #expect(values["weir_agent_published_records_total"] == Double(statistics.recordsPublished))
        #expect(values["weir_agent_spool_bytes"] == Double(statistics.spoolBytes))
        #expect(values["weir_agent_collector_errors_total"] == 0)
        let given = Set(values.keys.filter { $0.hasPrefix("weir_agent_") })
        #expect(given == Set(AgentMetrics.all.map(\.name)))
    }
}
