import CoreMetrics
import Instruments
import MetricModel
import Testing

@testable import MetricRegistry

@Suite("The registry: what swift-metrics is told comes out as Prometheus's text")
struct RegistryTests {
    private static let requests = Metric(.counter, "app_requests_total", by: ["api"], "Requests taken.")

    @Test("counters, meters and histograms, with help and type, families and series in order")
    func exposition() {
        let registry = MetricRegistry(describing: [Self.requests], constantLabels: ["job": "test"])
        Counter(label: "app_requests_total", dimensions: [("api", "Produce")], factory: registry).increment(by: 7)
        Counter(label: "app_requests_total", dimensions: [("api", "Fetch")], factory: registry).increment()
        let meter = Meter(label: "app_depth", factory: registry)
        meter.set(3.5)
        meter.decrement(by: 1)
        let timer = Timer(label: "app_request_seconds", dimensions: [("api", "Fetch")], factory: registry)
        timer.recordMicroseconds(100)
        timer.recordMicroseconds(101)
        timer.recordSeconds(11)
        FloatingPointCounter(label: "app_busy_seconds_total", factory: registry).increment(by: 0.25)
        #expect(
            String(decoding: registry.exposition(), as: UTF8.self) == """
                # TYPE app_busy_seconds_total counter
                app_busy_seconds_total{job="test"} 0.25
                # TYPE app_depth gauge
                app_depth{job="test"} 2.5
                # TYPE app_request_seconds histogram
                app_request_seconds_bucket{api="Fetch",job="test",le="0.0001"} 1
                app_request_seconds_bucket{api="Fetch",job="test",le="0.0003"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="0.001"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="0.003"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="0.01"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="0.03"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="0.1"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="0.3"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="1"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="3"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="10"} 2
                app_request_seconds_bucket{api="Fetch",job="test",le="+Inf"} 3
                app_request_seconds_sum{api="Fetch",job="test"} 11.000201
                app_request_seconds_count{api="Fetch",job="test"} 3
                # HELP app_requests_total Requests taken.
                # TYPE app_requests_total counter
                app_requests_total{api="Fetch",job="test"} 1
                app_requests_total{api="Produce",job="test"} 7
                # HELP weir_registry_conflicts_total Handles that lead nowhere because their name is in use for \
                another kind of metric.
                # TYPE weir_registry_conflicts_total counter
                weir_registry_conflicts_total{job="test"} 0
                # HELP weir_registry_refused_series_total Series that are not kept because the registry has as many \
                as it may (maximumSeries).
                # TYPE weir_registry_refused_series_total counter
                weir_registry_refused_series_total{job="test"} 0

                """)
    }

    @Test("what is exposed reads back as the same series and values, whatever stands in a label")
    func escaping() throws {
        let registry = MetricRegistry()
        let odd = "a\"b\\c\nd é"
        Counter(label: "app_total", dimensions: [("path", odd), ("le", "1"), ("my.label", "x")], factory: registry)
            .increment(by: 5)
        Counter(label: "my.own-name", factory: registry).increment()
        Counter(label: "9lives", factory: registry).increment()
        let text = registry.exposition()
        var found: [String: Double] = [:]
        for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where !line.hasPrefix("#") {
            let space = try #require(line.lastIndex(of: " "))
            let series = try Labels(parsing: String(line[..<space]))
            found[series.metricName] = Double(line[line.index(after: space)...])
            if series.metricName == "app_total" {
                #expect(series["path"] == odd)
                #expect(series["exported_le"] == "1" && series["my_label"] == "x")
            }
        }
        #expect(found["app_total"] == 5)
        #expect(found["my_own_name"] == 1)
        #expect(found["_9lives"] == 1)
    }

    @Test("help texts keep their backslashes and line feeds")
    func helpEscaping() {
        let metric = Metric(.gauge, "app_depth", "one\ntwo \\ three")
        let registry = MetricRegistry(describing: [metric])
        Meter(label: "app_depth", factory: registry).set(1)
        #expect(String(decoding: registry.exposition(), as: UTF8.self).contains(#"# HELP app_depth one\ntwo \\ three"#))
    }

    @Test("two handles of one name and labels are one series; it goes with the last of them")
    func sharing() {
        let registry = MetricRegistry()
        let one = Counter(label: "app_total", dimensions: [("a", "1"), ("b", "2")], factory: registry)
        let other = Counter(label: "app_total", dimensions: [("b", "2"), ("a", "1")], factory: registry)
        one.increment(by: 2)
        other.increment(by: 3)
        #expect(registry.value("app_total") == 5)
        one.destroy()
        #expect(registry.value("app_total") == 5)
        other.destroy()
        #expect(registry.value("app_total") == nil)
        Meter(label: "app_total", factory: registry).set(1)
        #expect(registry.value("app_total") == 1, "the name is free for another kind")
        #expect(registry.value("weir_registry_conflicts_total") == 0)
    }

    @Test("a name in use for another kind, and series beyond the limit, lead nowhere and are counted")
    func refusals() {
        let registry = MetricRegistry(maximumSeries: 2)
        let counter = Counter(label: "app_total", dimensions: [("n", "1")], factory: registry)
        let timer = Timer(label: "app_total", factory: registry)
        timer.recordSeconds(1)
        timer.destroy()
        #expect(registry.value("weir_registry_conflicts_total") == 1)
        let more = (2...4).map { Counter(label: "app_total", dimensions: [("n", "\($0)")], factory: registry) }
        for one in more { one.increment() }
        #expect(registry.value("weir_registry_refused_series_total") == 2)
        #expect(registry.collect().first { $0.name == "app_total" }?.readings.count == 2)
        counter.destroy()
        Counter(label: "app_total", dimensions: [("n", "5")], factory: registry).increment()
        #expect(registry.value("weir_registry_refused_series_total") == 2, "there is room again")
    }

    @Test("counters never go down, and nothing that is no number gets in")
    func onlyUp() {
        let registry = MetricRegistry()
        let counter = Counter(label: "app_total", factory: registry)
        counter.increment(by: 3)
        counter.increment(by: -2)
        let seconds = FloatingPointCounter(label: "app_seconds_total", factory: registry)
        seconds.increment(by: 1.5)
        seconds.increment(by: -1)
        seconds.increment(by: Double.nan)
        #expect(registry.value("app_total") == 3)
        #expect(registry.value("app_seconds_total") == 1.5)
    }

    @Test("additions from many threads at once all count, while others collect")
    func concurrency() async {
        let registry = MetricRegistry()
        let (tasks, rounds) = (8, 250)
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask {
                    let counter = Counter(label: "app_total", factory: registry)
                    let seconds = FloatingPointCounter(label: "app_seconds_total", factory: registry)
                    let timer = Timer(label: "app_request_seconds", factory: registry)
                    let sizes = Recorder(label: "app_request_bytes", factory: registry)
                    for round in 0..<rounds {
                        counter.increment()
                        seconds.increment(by: 0.5)
                        timer.recordNanoseconds(round.isMultiple(of: 2) ? 50_000 : 2_000_000_000)
                        sizes.record(100)
                        let passing = Meter(label: "app_depth", dimensions: [("task", "\(task)")], factory: registry)
                        passing.set(round)
                        passing.destroy()
                    }
                }
            }
            group.addTask { for _ in 0..<20 { _ = registry.collect() } }
        }
        let all = tasks * rounds
        #expect(registry.value("app_total") == Double(all))
        #expect(registry.value("app_seconds_total") == Double(all) / 2)
        #expect(registry.value("app_request_seconds_count") == Double(all))
        #expect(registry.value("app_request_seconds_bucket", ["le": "0.0001"]) == Double(all) / 2)
        #expect(registry.value("app_request_seconds_bucket", ["le": "3"]) == Double(all))
        #expect(registry.value("app_request_bytes_sum") == Double(all * 100))
        #expect(registry.value("app_depth") == nil)
    }
}

@Suite("Buckets of histograms")
struct BucketTests {
    @Test("a value on a bound falls into the bucket below it; what is beyond the last has one of its own")
    func edges() {
        let registry = MetricRegistry()
        let sizes = Recorder(label: "app_batch_bytes", factory: registry)
        for value in [0, 64, 65, 256, 16 << 20, (16 << 20) + 1] { sizes.record(value) }
        sizes.record(Double.nan)
        func below(_ bound: String) -> Double? { registry.value("app_batch_bytes_bucket", ["le": bound]) }
        #expect(below("64") == 2)
        #expect(below("256") == 4)
        #expect(below("1024") == 4)
        #expect(below("16777216") == 5)
        #expect(below("+Inf") == 7)
    }

    @Test("the ladder is that of the name's unit")
    func units() {
        #expect(Buckets.suited(to: "x_bytes") == .bytes)
        #expect(Buckets.suited(to: "x_seconds") == .seconds)
        #expect(Buckets.suited(to: "x_records").upperBounds.prefix(3) == [1, 10, 100])
    }

    @Test("a histogram that nothing was recorded in is not given out")
    func untouched() {
        let registry = MetricRegistry()
        let timer = Timer(label: "app_request_seconds", factory: registry)
        #expect(registry.value("app_request_seconds_count") == nil)
        timer.recordSeconds(1)
        #expect(registry.value("app_request_seconds_count") == 1)
    }
}
