import FoundationEssentials
import Glibc
import Instruments
import TestKit
import Testing
import Topology

@testable import weir

/// Weir's own metrics, from the processes that have them to `weir query`.
@Suite("Its own metrics", .serialized)
struct SelfMetricsTests {
    @Test(
        "broker, agent and subscriber publish theirs to metrics.weir, where the query finds them; kills do not matter")
    func queryable() async throws {
        let weir = try WeirProcesses()
        var (broker, address) = try await weir.startBroker(selfMetrics: "100ms")
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        var subscriber = try weir.startSubscriber(address, selfMetrics: "100ms")
        let agent = try weir.startAgent(address, instance: "lab", ["--collectors", "load", "--self-metrics", "100ms"])
        func find(_ selector: String) async throws -> String {
            try await weir.run(["query", "--database", weir.database, "--format", "csv", selector]).output
        }
        func findAll(_ selectors: [String]) async throws {
            for selector in selectors {
                try await eventually(
                    "\(selector) is found: \(subscriber.errorOutput.suffix(2000))", within: .seconds(60)
                ) {
                    try await find(selector).split(whereSeparator: \.isNewline).count > 1
                }
            }
        }
        try await findAll([
            #"weir_broker_requests_total{api="Produce",job="weir-broker"}"#,
            #"weir_broker_log_end_offset{topic="metrics.weir"}"#,
            #"weir_broker_group_lag_records{group="weir",topic="metrics.load"}"#,
            #"weir_subscriber_lag_seconds_bucket{job="weir-subscriber",stage="commit",group="weir"}"#,
            #"weir_agent_published_records_total{job="weir-agent",instance="lab"}"#,
            #"process_resident_memory_bytes{job="weir-broker"}"#, #"process_cpu_seconds_total{job="weir-agent"}"#,
        ])
        func starts() async throws -> Set<String> {
            let rows = try await find(#"process_start_time_seconds{job="weir-broker"}"#).split(
                whereSeparator: \.isNewline)
            return Set(rows.dropFirst().compactMap { $0.split(separator: ",").last.map(String.init) })
        }
        let before = try await starts()
        #expect(!before.isEmpty)
        broker.kill()
        subscriber.kill()
        (broker, address) = try await weir.startBroker(port: port, name: "broker-again", selfMetrics: "100ms")
        subscriber = try weir.startSubscriber(address, name: "subscriber-again", selfMetrics: "100ms")
        try await eventually(
            "the restarted broker's are found: \(subscriber.errorOutput.suffix(2000))", within: .seconds(60)
        ) { try await !starts().isSubset(of: before) }
        for process in [agent, subscriber, broker] {
            process.signal(SIGTERM)
            let processStatus = try await process.wait()
            #expect(processStatus == .exited(0), "\(process.errorOutput)")
        }
    }

    @Test("off means that nothing is published, and no spool is made", arguments: ["flag", "file", "variable"])
    func off(_ place: String) async throws {
        let weir = try WeirProcesses()
        let file = weir.directory.appending("weir.yaml")
        try "broker:\n  self-metrics: off\n".write(toFile: file, atomically: true, encoding: .utf8)
        var arguments = ["broker", "--data-dir", weir.directory.appending("broker"), "--listen", "127.0.0.1:0"]
        if place == "flag" { arguments += ["--self-metrics", "off"] }
        if place == "file" { arguments += ["--config", file] }
        let broker = try weir.start(
            arguments, environment: place == "variable" ? ["WEIR_BROKER_SELF_METRICS": "off"] : [:])
        try await eventually("the broker listens: \(broker.errorOutput)") { broker.listeningAddress != nil }
        broker.signal(SIGTERM)
        let brokerStatus = try await broker.wait()
        #expect(brokerStatus == .exited(0))
        #expect(!FileManager.default.fileExists(atPath: weir.directory.appending("broker/self-metrics")))
    }

    @Test("a broker that cannot publish its own metrics says so and serves on")
    func unpublishable() async throws {
        let weir = try WeirProcesses()
        try FileManager.default.createDirectory(
            atPath: weir.directory.appending("broker"), withIntermediateDirectories: true)
        try "in the way".write(
            toFile: weir.directory.appending("broker/self-metrics"), atomically: true, encoding: .utf8)
        let (broker, address) = try await weir.startBroker(selfMetrics: "50ms")
        try await eventually("it is said: \(broker.errorOutput)") {
            broker.errorOutput.contains("self-metrics: this process goes on without it")
        }
        let topics = try await weir.run(["topic", "list", "--bootstrap", address])
        #expect(topics.status == .exited(0), "\(topics.error)")
        broker.signal(SIGTERM)
        let brokerStatus = try await broker.wait()
        #expect(brokerStatus == .exited(0))
    }

    @Test("an interval that is none is refused with what it may be")
    func badInterval() async throws {
        let weir = try WeirProcesses()
        let result = try await weir.run(
            ["broker", "--data-dir", weir.directory.appending("broker")], environment: ["WEIR_SELF_METRICS": "often"])
        #expect(result.status != .exited(0))
        #expect(result.error.contains("WEIR_SELF_METRICS has the value 'often'"), "\(result.error)")
    }

    @Test("docs/metrics.md lists every metric, with its kind, its labels and its meaning, and no other")
    func documented() throws {
        let path = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "/\(path)/docs/metrics.md", encoding: .utf8)
        let rows = text.split(separator: "\n").filter { $0.hasPrefix("| `") && !$0.hasPrefix("| `--") }.map(String.init)
        let expected = ProcessMeasurement.metrics.map { metric in
            let labels = metric.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(metric.name)` | \(metric.kind.rawValue) | \(labels) | \(metric.help) |"
        }
        for row in expected where !rows.contains(row) { Issue.record("docs/metrics.md lacks: \(row)") }
        for row in rows where !expected.contains(row) {
            Issue.record("docs/metrics.md has, but the code does not: \(row)")
        }
        #expect(Set(expected).count == expected.count)
        for metric in ProcessMeasurement.metrics {
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
        }
    }
}
