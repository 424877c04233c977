import Instruments
import MetricModel
import MetricRegistry
import RecordBatch
import SeriesStore
import Subscriber
import TestKit
import Testing

/// What a subscriber says of itself through swift-metrics.
@Suite(.timeLimit(.minutes(2))) struct MetricsTests {
    private let registry = MetricRegistry(describing: SubscriberMetrics.all)

    @Test func `what is late, rejected or twice is counted by its source, and lag by its stage`() async throws {
        let pipeline = try await PipelineFixture()
        var limits = SeriesLimits()
        limits.perMetric = 1
        let subscriber = try pipeline.subscriber(limits: limits, mode: .stream, metrics: registry)
        let minute: Int64 = 1_700_000_040_000
        func send(_ text: String, _ key: String, _ sequence: Int) async throws {
            try await pipeline.send(
                text, to: "metrics.up", headers: agentHeaders(sequence, agent: key), at: minute, key: key)
        }
        try await send("up 1 \(minute)\ndown 1 \(minute + 60_000)\n", "alpha", 0)
        // Late by a window; in the newest window, though older than the newest sample; of one series too many; a
        // duplicate; no sample.
        try await send("up 1 \(minute - 1)\n", "alpha", 1)
        try await send(
            "up 1 \(minute + 60_001)\ndown 1 \(minute + 60_000)\nup{cpu=\"1\"} 1 \(minute + 60_001)\n", "alpha", 2)
        try await send("what is this\n", "beta", 0)
        try await send("other 1 \(minute)\n", "beta", 1)
        try await send("other 1 \(minute)\n", "beta", 1)
        // A clock that is ahead by many years.
        try await send("other 1 4102444800000\n", "gamma", 0)
        try await eventually("everything is stored") { subscriber.service.statistics.recordsRead == 7 }
        try await eventually("the lag is gone") { subscriber.service.statistics.lag == 0 }
        try await eventually("the rules are looked at") { !subscriber.service.statistics.rules.isEmpty }
        await subscriber.service.reportMetrics()

        #expect(value("weir_subscriber_records_total") == 7)
        #expect(value("weir_subscriber_samples_total") == 6)
        #expect(value("weir_subscriber_late_samples_total", ["source": "alpha"]) == 1)
        #expect(value("weir_subscriber_late_samples_total", ["source": "beta"]) == 0)
        #expect(value("weir_subscriber_duplicate_samples_total", ["source": "alpha"]) == 1)
        #expect(value("weir_subscriber_future_samples_total", ["source": "gamma"]) == 1)
        #expect(value("weir_subscriber_future_samples_total", ["source": "alpha"]) == 0)
        #expect(value("weir_subscriber_past_samples_total", ["source": "alpha"]) == 6, "of the year 2023")
        #expect(value("weir_subscriber_rejected_lines_total", ["source": "beta"]) == 1)
        #expect(value("weir_subscriber_duplicate_records_total", ["source": "beta"]) == 1)
        #expect(value("weir_subscriber_duplicate_records_total", ["source": "alpha"]) == 0)
        #expect(value("weir_subscriber_new_series_total") == 3)
        #expect(value("weir_subscriber_refused_samples_total", ["limit": "metric", "culprit": "up"]) == 1)
        #expect(value("weir_subscriber_lag_records", ["topic": "metrics.up"]) == 0)
        let commits = try #require(value("weir_subscriber_commits_total"))
        #expect(commits >= 1)
        for stage in ["topic", "processing", "commit"] {
            #expect(value("weir_subscriber_lag_seconds_count", ["stage": stage]) == commits, "\(stage)")
        }
        #expect(value("weir_subscriber_lag_seconds_bucket", ["stage": "topic", "le": "10"]) == 0, "of the year 2023")
        let given = registry.collect().map(\.name).filter { $0.hasPrefix("weir_subscriber_") }
        #expect(Set(given) == Set(SubscriberMetrics.all.map(\.name)))
        try await subscriber.stop()
        try await pipeline.stop()
    }

    private func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        registry.collect().lazy.flatMap(\.readings).first { reading in
            reading.series.metricName == name && labels.allSatisfy { reading.series[$0.key] == $0.value }
        }?.value
    }
}
