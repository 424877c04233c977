import Aggregation
import Broker
import KafkaClient
import KafkaProtocol
import Logging
import MetricModel
import NIOCore
import RecordBatch
import SeriesStore
import Subscriber
import TestKit
import Testing

/// The mode `stream`: windows of rules, closed by event time and emitted.
@Suite(.timeLimit(.minutes(2))) struct StreamModeTests {
    /// The beginning of an hour some hours ago: samples of a backlog.
    private let start = (Timestamp.now().milliseconds / 3_600_000 - 3) * 3_600_000

    private struct Rollup {
        let rule: String
        let key: String
        let end: Int64
        let revision: Int
        let epoch: Int64
        let sequence: Int64
        let lines: [String]
        let headers: [RecordHeader]
    }

    /// All records of a topic of rollups, in order.
    private func rollups(_ topic: String = "metrics.rollup.1m", of pipeline: PipelineFixture) async throws -> [Rollup] {
        let name = try TopicName(topic)
        let admin = Admin(cluster: pipeline.cluster)
        let partitions = try await pipeline.cluster.refreshMetadata().partitionCount(of: name) ?? 0
        var found: [Rollup] = []
        for index in 0..<partitions {
            let partition = TopicPartition(topic: name, partition: PartitionIndex(Int32(index)))
            let end = try await admin.endOffsets([partition])[partition] ?? 0
            guard end > 0 else { continue }
            let consumer = PartitionConsumer(cluster: pipeline.cluster, starts: [partition: 0])
            for try await batch in consumer {
                found += try batch.records.map(Self.rollup)
                if batch.nextOffset >= end { break }
            }
        }
        return found
    }

    private static func rollup(_ record: Record) -> Rollup {
        let headers = record.headers.reduce(into: [:]) { $0[$1.key] = $1.value.map { String(buffer: $0) } ?? "" }
        func number(_ name: String) -> Int64 { Int64(headers[name] ?? "") ?? -1 }
        return Rollup(
            rule: headers["weir-rule"] ?? "", key: record.key.map { String(buffer: $0) } ?? "",
            end: number("weir-window-end"), revision: Int(number("weir-revision")), epoch: number("weir-epoch"),
            sequence: number("weir-sequence"),
            lines: record.value.map { String(buffer: $0).split(separator: "\n").map(String.init) } ?? [],
            headers: record.headers)
    }

    /// Of each rule, group and window the lines of the record that counts.
    private func latest(_ rollups: [Rollup]) -> Set<String> {
        var last: [String: Rollup] = [:]
        for rollup in rollups {
            let key = "\(rollup.rule) \(rollup.key) \(rollup.end)"
            if let known = last[key], (known.epoch, known.revision) >= (rollup.epoch, rollup.revision) { continue }
            last[key] = rollup
        }
        return Set(last.values.flatMap(\.lines))
    }

    /// What the samples give, window by window, for windows that end before an instant.
    private func expected(
        _ samples: [(series: Labels, sample: Sample)], _ rules: [AggregationRule], before end: Int64
    ) -> Set<String> {
        let bySeries = Dictionary(grouping: samples, by: \.series).map { series, samples in
            (labels: series, samples: samples.map(\.sample).sorted { $0.timestamp < $1.timestamp })
        }
        var lines: Set<String> = []
        for rule in rules {
            let windows = Set(samples.flatMap { Array(rule.windows.windows(containing: $0.sample.timestamp)) })
            for window in windows where window.end.milliseconds < end {
                var text = TextFormat.Writer()
                for row in rule.evaluate(window, series: bySeries).rows {
                    text.append(row.labels, value: row.value, timestamp: window.end)
                }
                lines.formUnion(
                    String(decoding: text.bytes, as: UTF8.self).split(separator: "\n").map(String.init))
            }
        }
        return lines
    }

    private func text(_ samples: [(series: Labels, sample: Sample)]) -> String {
        var text = TextFormat.Writer()
        for (series, sample) in samples { text.append(series, value: sample.value, timestamp: sample.timestamp) }
        return String(decoding: text.bytes, as: UTF8.self)
    }

    private func run(_ host: Int, at seconds: Int) -> [(series: Labels, sample: Sample)] {
        let time = Timestamp(milliseconds: start + Int64(seconds) * 1000)
        return (0..<3).map { number in
            (
                series: ["__name__": "requests_total", "instance": "h\(host)", "path": "/\(number)"],
                sample: Sample(timestamp: time, value: Double(seconds * (number + 1) + host))
            )
        }
    }

    @Test func `the topic of rollups holds what the samples give, whatever is late or cut short`() async throws {
        let pipeline = try await PipelineFixture()
        let file = try RuleFile(
            parsing: """
                - match: requests_total
                  interval: 1m
                  by: [instance]
                  outputs: [increase, count_samples, max]
                - match: requests_total{path="/1"}
                  interval: 1m
                  every: 20s
                  outputs: [avg, "quantiles(0.5)"]
                """, path: "rules.yaml")
        let rules = file.rules.map(\.content)
        var samples: [(series: Labels, sample: Sample)] = []
        var numbers = [0, 0]
        func send(_ host: Int, _ seconds: Int) async throws {
            let run = run(host, at: seconds)
            samples += run
            try await pipeline.send(
                text(run), to: "metrics.requests", headers: agentHeaders(numbers[host], agent: "agent-\(host)"),
                key: "h\(host)")
            numbers[host] += 1
        }
        var subscriber = try pipeline.subscriber(mode: .stream, rules: file)
        for step in 0..<30 {
            for host in 0..<2 where (host, step) != (1, 7) { try await send(host, step * 10) }
            if step == 12 {
                try await eventually("a window is emitted") { subscriber.service.statistics.emittedRecords > 0 }
                await subscriber.cancel()
                subscriber = try pipeline.subscriber(mode: .stream, rules: file)
            }
        }
        // What comes in the last minutes closes those before.
        let end = start + 240_000
        try await eventually("all windows are emitted") {
            latest(try await rollups(of: pipeline)).isSuperset(of: expected(samples, rules, before: end))
        }
        try await send(1, 70)
        try await eventually("the late sample's windows are emitted again") {
            latest(try await rollups(of: pipeline)).isSuperset(of: expected(samples, rules, before: end))
        }
        try await eventually("everything is taken") { subscriber.service.statistics.waitingEmissions == 0 }
        try await subscriber.stop()
        let all = try await rollups(of: pipeline)
        let isDue = { (line: String) in Int64(line.split(separator: " ").last ?? "").map { $0 < end } ?? false }
        #expect(latest(all).filter(isDue) == expected(samples, rules, before: end), "and nothing else")
        #expect(all.contains { $0.revision > 1 })
        let byEpoch = Dictionary(grouping: all, by: \.epoch).mapValues { Set($0.map(\.sequence)) }
        #expect(byEpoch.count == 2, "two processes")
        for (epoch, sequences) in byEpoch {
            #expect(sequences == Set(0..<Int64(sequences.count)), "no number is left out in epoch \(epoch)")
        }
        try await pipeline.stop()
    }

    @Test func `without a rule file every series is emitted, and a subscriber may read that`() async throws {
        let pipeline = try await PipelineFixture()
        let subscriber = try pipeline.subscriber(mode: .stream)
        for second in [0, 10, 50, 200] {
            try await pipeline.send(
                "node_load1{instance=\"a\"} \(second) \(start + Int64(second) * 1000)", to: "metrics.load", key: "a")
        }
        try await eventually("both minutes are emitted, the backlog being read") {
            try await rollups(of: pipeline).count == 2
        }
        let first = try #require(try await rollups(of: pipeline).first)
        #expect(first.key == #"node_load1:1m{instance="a"}"#)
        #expect(
            first.lines.map { String($0.split(separator: "{")[0]) } == [
                "node_load1:1m_count_samples", "node_load1:1m_sum_samples", "node_load1:1m_min", "node_load1:1m_max",
                "node_load1:1m_first", "node_load1:1m_last",
            ])
        try await subscriber.stop()
        // As after a kill between sending and removing.
        try await pipeline.send(
            first.lines.joined(separator: "\n"), to: "metrics.rollup.1m", headers: first.headers, key: first.key)
        // A subscriber that reads the rollups: they are samples, and a record that came twice is dropped.
        let downstream = try pipeline.subscriber(
            database: pipeline.directory.appending("downstream.sqlite"), topics: #"metrics\.rollup\..*"#)
        try await eventually("the rollups are stored") { downstream.service.statistics.recordsRead == 3 }
        #expect(downstream.service.statistics.duplicateRecords == 1)
        #expect(downstream.service.statistics.samplesStored == 12)
        try await downstream.stop()
        try await pipeline.stop()
    }

    @Test func `the last window closes when nothing comes any more`() async throws {
        let pipeline = try await PipelineFixture()
        var watermark = WatermarkSettings()
        watermark.idleTimeout = .seconds(1)
        let file = try RuleFile(
            parsing: "[{match: up, interval: 1s, outputs: [count_samples], lateness: 0s}]", path: "rules.yaml")
        let subscriber = try pipeline.subscriber(mode: .stream, rules: file, watermark: watermark)
        let now = Timestamp.now().milliseconds / 1000 * 1000
        // One of them was heard long before: it is waited for no longer than the timeout.
        try await pipeline.send("up{instance=\"slow\"} 1 \(now - 20_000)", to: "metrics.up", key: "slow")
        try await pipeline.send("up{instance=\"b\"} 1 \(now)", to: "metrics.up", key: "b")
        try await eventually("both windows are emitted") {
            try await rollups("metrics.rollup.1s", of: pipeline).map(\.end).sorted() == [now - 19_000, now + 1000]
        }
        try await eventually("they are counted") {
            subscriber.service.statistics.rules["up:1s"]?.emittedWindows == 2
        }
        try await subscriber.stop()
        try await pipeline.stop()
    }

    @Test func `results wait while the cluster is away, up to a limit, and go out when it is back`() async throws {
        let directory = try TemporaryDirectory("weir-outbox")
        let log = LogLines()
        var brokerConfiguration = BrokerConfiguration(dataDirectory: directory.appending("broker"))
        brokerConfiguration.port = try freePort()
        brokerConfiguration.durability = .pageCache
        func startBroker() async throws -> (running: Running<BrokerService>, port: Int) {
            let broker = Running(
                BrokerService(configuration: brokerConfiguration, logger: log.logger), logger: log.logger)
            return (broker, try await broker.service.listening())
        }
        var (broker, port) = try await startBroker()
        let address = BrokerAddress(host: "127.0.0.1", port: port)
        let cluster = Cluster(configuration: ClientConfiguration(bootstrap: [address]), logger: log.logger)
        let end = Timestamp.now().milliseconds / 1000
        let producer = Producer(cluster: cluster)
        _ = try await producer.send(
            ProducerMessage(
                topic: try TopicName("metrics.other"), key: ByteBuffer(string: "a"),
                value: ByteBuffer(string: "other 1 \(end * 1000)")))

        var configuration = SubscriberConfiguration(
            bootstrap: [address], databasePath: directory.appending("weir.sqlite"))
        configuration.mode = .stream
        configuration.rules = try RuleFile(
            parsing: "[{match: up, interval: 1s, outputs: [count_samples], lateness: 0s}]", path: "rules.yaml")
        // It keeps its partition while it hears nothing of the cluster, and goes on with what comes on a direct link.
        configuration.sessionTimeout = .seconds(60)
        configuration.direct = DirectListening(host: "127.0.0.1", port: 0)
        configuration.maximumWaitingEmissions = 5
        let subscriber = Running(
            try SubscriberService(configuration: configuration, logger: log.logger), logger: log.logger)
        let statistics = { subscriber.service.statistics }
        try await eventually("it has read its partition") { statistics().samplesStored == 1 }
        try await broker.stop()

        let client = try await RawClient.connect(port: try #require(subscriber.service.directPort))
        let lines = (0...20).map { "up 1 \((end - 20 + Int64($0)) * 1000)\n" }.joined()
        try await client.send(ByteBuffer(string: lines))
        try await eventually("samples are stored all the same") { statistics().samplesStored == 22 }
        try await eventually("windows are held back: \(log.visible)") { statistics().heldBackWindows > 0 }
        try await eventually("it says so") {
            log.visible.contains { $0.contains("windows are not closed because the cluster does not take") }
        }
        try await eventually("no more than a few results wait") { (5..<20).contains(statistics().waitingEmissions) }
        #expect(statistics().emittedRecords == 0)

        (broker, _) = try await startBroker()
        try await eventually("all results go out: \(log.visible)") {
            statistics().emittedRecords == 20 && statistics().waitingEmissions == 0
        }
        #expect(statistics().lostEmissions == 0)
        try await subscriber.stop()
        await producer.close()
        cluster.close()
        try await broker.stop()
    }

    @Test func `rules that cannot be evaluated are refused at the start`() async throws {
        let file = try RuleFile(
            parsing: "[{match: node_load1, interval: 2h, outputs: [max]}]", path: "rules.yaml")
        var configuration = SubscriberConfiguration(
            bootstrap: [BrokerAddress(host: "127.0.0.1", port: 1)], databasePath: "/nonexistent/weir.sqlite")
        configuration.rules = file
        func problem() -> String {
            do {
                _ = try SubscriberService(configuration: configuration, logger: .init(label: "test"))
                return "none"
            } catch {
                return error is RuleSelectionError ? "\(error)" : "none"
            }
        }
        #expect(problem().contains("mode batch evaluates no rules"))
        configuration.mode = .stream
        #expect(problem() == "none", "kept for ever")
        configuration.retention = RetentionPolicy(
            otherwise: try Retention(samples: .seconds(3600), minutes: nil, hours: nil))
        #expect(problem().contains("rule 'node_load1:2h'") && problem().contains("raw=1h"))
        let long = try Retention(samples: .seconds(86_400), minutes: nil, hours: nil)
        let short = try Retention(samples: .seconds(60), minutes: nil, hours: nil)
        func policy(_ text: String, _ retention: Retention, otherwise: Retention) throws -> RetentionPolicy {
            let matcher =
                text.hasPrefix("!")
                ? try LabelMatcher("__name__", .notEqual, String(text.dropFirst()))
                : LabelMatcher("__name__", equals: text)
            return RetentionPolicy(rules: [.init(matchers: [matcher], retention: retention)], otherwise: otherwise)
        }
        configuration.retention = try policy("other", short, otherwise: long)
        #expect(problem() == "none", "no series of the rule is kept for that short")
        configuration.retention = try policy("node_load1", long, otherwise: short)
        #expect(problem() == "none", "all series of the rule are kept for that long")
        configuration.retention = try policy("!other", short, otherwise: long)
        #expect(problem().contains("raw=1m"))
    }
}
