import Logging
import MetricModel
import NIOCore
import SeriesStore
import ServiceLifecycle
import Subscriber
import TestKit
import Testing

/// A subscriber without brokers, over real sockets.
@Suite(.timeLimit(.minutes(2))) struct DirectSubscriberTests {
    private let directory: TemporaryDirectory
    private let log = LogLines()

    init() throws {
        directory = try TemporaryDirectory("weir-direct")
    }

    private var database: String { directory.appending("weir.sqlite") }

    private func subscriber(
        mode: ProcessingMode = .batch, limits: DirectLimits = DirectLimits()
    ) async throws -> (running: Running<SubscriberService>, port: Int) {
        var configuration = SubscriberConfiguration(bootstrap: [], databasePath: database)
        configuration.mode = mode
        configuration.direct = DirectListening(host: "127.0.0.1", port: 0)
        configuration.direct?.limits = limits
        let running = Running(
            try SubscriberService(configuration: configuration, logger: log.logger), logger: log.logger)
        try await eventually("it listens") { running.service.directPort != nil }
        return (running, try #require(running.service.directPort))
    }

    private func record(_ text: String, timestamp: Int64 = 1_700_000_000_000, topic: String = "metrics.up")
        -> ByteBuffer
    {
        let header = DirectRecordHeader(
            byteCount: text.utf8.count, sampleCount: 1, timestamp: Timestamp(milliseconds: timestamp), topic: topic,
            instance: "lab")
        return ByteBuffer(string: header.line + text)
    }

    private func stored() throws -> [String] {
        let reader = try SeriesReader(path: database)
        defer { try? reader.close() }
        let series = try reader.series(matching: [])
        let samples = try reader.samples(
            of: series.map(\.id), from: Timestamp(milliseconds: 0), to: Timestamp(milliseconds: 1 << 52))
        return series.flatMap { series in
            (samples[series.id] ?? []).map { "\(series.labels) \($0.value)@\($0.timestamp.milliseconds)" }
        }
    }

    /// `stream` emits to topics, so it needs brokers.
    @Test func `mode stream is refused, with what to do`() {
        var configuration = SubscriberConfiguration(bootstrap: [], databasePath: database)
        configuration.mode = .stream
        configuration.direct = DirectListening(host: "127.0.0.1", port: 0)
        let error = #expect(throws: (any Error).self) {
            _ = try SubscriberService(configuration: configuration, logger: log.logger)
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("give --bootstrap, or use --mode batch"))
    }

    @Test(arguments: ProcessingMode.allCases.filter { $0 != .stream })
    func `records and loose lines are stored, in every mode that needs no brokers`(_ mode: ProcessingMode) async throws
    {
        let (running, port) = try await subscriber(mode: mode)
        let client = try await RawClient.connect(port: port)
        try await client.send(record("up 1\nup{job=\"a\"} 2 1700000000001\n"))
        try await client.send(ByteBuffer(string: "loose 3 1700000000002\n# a comment\n"))
        try await client.send(record("# comments only\n", timestamp: 1_700_000_000_003))
        try await client.send(record("up 4\nthis is none\n", timestamp: 1_700_000_000_004, topic: "metrics.other"))
        try await eventually("all are stored: \(log.visible)") { running.service.statistics.samplesStored == 4 }
        let statistics = running.service.statistics
        #expect(statistics.direct?.records == 4)
        #expect(statistics.direct?.connections == 1)
        #expect(statistics.rejectedLines == 1)
        #expect(statistics.lostRejections == 1, "there is no topic for it")
        #expect(statistics.lag == 0)
        #expect(running.service.latency.samples == 3, "a loose line has no time of collection")
        #expect(try await running.stop() < .seconds(2))
        #expect(
            try Set(stored()) == [
                "up 1.0@1700000000000", #"up{job="a"} 2.0@1700000000001"#, "loose 3.0@1700000000002",
                "up 4.0@1700000000004",
            ])
        let reader = try SeriesReader(path: database)
        #expect(try reader.progress().positions.isEmpty, "there is no offset to keep")
        try reader.close()
    }

    @Test func `garbage closes its connection, and hurts no other`() async throws {
        var limits = DirectLimits()
        limits.lineBytes = 10_000
        let (running, port) = try await subscriber(limits: limits)
        let good = try await RawClient.connect(port: port)
        try await good.send(record("up 1\n"))

        let liar = try await RawClient.connect(port: port)
        try await liar.send(ByteBuffer(string: "up 2 1700000000002\n# weir-record bytes=many\n"))
        try await liar.closedByServer()
        let large = try await RawClient.connect(port: port)
        try await large.send(
            ByteBuffer(string: "# weir-record bytes=4000000000 samples=1 timestamp=1 topic=t instance=i\n"))
        try await large.closedByServer()
        let badTopic = try await RawClient.connect(port: port)
        try await badTopic.send(record("up 9\n", topic: "no/topic"))
        try await badTopic.closedByServer()
        let endless = try await RawClient.connect(port: port)
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 4096)
        // The connection is closed under it.
        for _ in 0..<1000 where (try? await endless.send(piece)) == nil { break }
        try? await endless.closedByServer()
        let torn = try await RawClient.connect(port: port)
        try await torn.send(ByteBuffer(string: "up 3 1700000000003\nup 40000"))
        await torn.close()

        try await eventually("the torn connection is noticed") {
            running.service.statistics.direct?.brokenRecords == 1
        }
        try await good.send(record("up 5\n", timestamp: 1_700_000_000_005))
        try await eventually("the good ones are stored") { running.service.statistics.samplesStored == 4 }
        let direct = try #require(running.service.statistics.direct)
        #expect(direct.unreadableConnections == 2)
        #expect(direct.limitsReached == [.recordBytes: 1, .lineBytes: 1])
        #expect(direct.connections == 1)
        #expect(log.matching("bytes=…").count == 1, "the log says what a record begins with")
        try await running.stop()
        #expect(
            try stored().sorted() == [
                "up 1.0@1700000000000", "up 2.0@1700000000002", "up 3.0@1700000000003", "up 5.0@1700000000005",
            ])
    }

    @Test func `connections beyond the limit are closed, and taken when there is room`() async throws {
        var limits = DirectLimits()
        limits.connections = 2
        let (running, port) = try await subscriber(limits: limits)
        let first = try await RawClient.connect(port: port)
        let second = try await RawClient.connect(port: port)
        for client in [first, second] { try await client.send(ByteBuffer(string: "# hello\n")) }
        try await eventually("both are taken") { running.service.statistics.direct?.connections == 2 }
        let third = try await RawClient.connect(port: port)
        try await third.closedByServer()
        #expect(running.service.statistics.direct?.limitsReached == [.connections: 1])
        await first.close()
        try await eventually("there is room") { running.service.statistics.direct?.connections == 1 }
        let fourth = try await RawClient.connect(port: port)
        try await fourth.send(record("up 1\n"))
        try await eventually("it is served") { running.service.statistics.samplesStored == 1 }
        try await running.stop()
    }

    @Test func `half records of many connections are bounded together`() async throws {
        var limits = DirectLimits()
        limits.pendingBytes = 100_000
        let (running, port) = try await subscriber(limits: limits)
        var clients: [RawClient] = []
        let half = record(String(repeating: "x", count: 60_000)).getSlice(at: 0, length: 50_000)
        for _ in 0..<4 {
            let client = try await RawClient.connect(port: port)
            try await client.send(try #require(half))
            clients.append(client)
        }
        try await eventually("one is closed, so that the others may stay") {
            (running.service.statistics.direct?.limitsReached[.pendingBytes] ?? 0) >= 1
                && running.service.statistics.direct?.connections ?? 9 <= 3
        }
        try await running.stop()
    }

    @Test func `a port that is in use is named`() async throws {
        let (running, port) = try await subscriber()
        var configuration = SubscriberConfiguration(bootstrap: [], databasePath: directory.appending("b.sqlite"))
        configuration.direct = DirectListening(host: "127.0.0.1", port: port)
        let second = try SubscriberService(configuration: configuration, logger: log.logger)
        await #expect(throws: DirectListenError.addressInUse(host: "127.0.0.1", port: port)) { try await second.run() }
        try await running.stop()
    }
}
