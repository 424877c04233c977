import Glibc
import TestKit
import Testing

@Suite("Alerts, by processes", .serialized)
struct AlertCommandTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    private func produce(_ address: String, _ lines: String) async throws {
        let directory = try TemporaryDirectory("weir-run")
        let process = try ChildProcess(
            try builtExecutable("weir"), ["produce", "metrics.load", "--bootstrap", address], name: "run",
            directory: directory.path, input: lines)
        let status = try await process.wait()
        #expect(status == .exited(0), "\(process.errorOutput)")
    }

    private func startSubscriber(_ address: String, _ number: Int) throws -> ChildProcess {
        try weir.start(
            [
                "subscriber", "--bootstrap", address, "--database", weir.database, "--self-metrics", "off", "--mode",
                "realtime", "--alert", "load > 5",
            ], name: "subscriber\(number)")
    }

    /// The ids of everything in the topic, in order.
    private func published(_ address: String) async throws -> [String] {
        let all = try await weir.run(
            ["consume", "alerts", "--from-beginning", "--exit", "--format", "json", "--bootstrap", address])
        return all.output.split(separator: "\n").compactMap { line in
            guard let start = line.firstRange(of: #""weir-alert-id","value":""#)?.upperBound else { return nil }
            return String(line[start..<line.endIndex].prefix { $0 != "\"" })
        }
    }

    @Test("a subscriber that is killed again and again publishes every change, in order, and says no other")
    func kills() async throws {
        let (broker, address) = try await weir.startBroker()
        var random = SeededGenerator()
        // Of the last minutes: what is much older has no say in alerts.
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let start = (Int64(now.tv_sec) - 120) * 1000
        var expected: [String] = []
        for round in 0..<6 {
            let subscriber = try startSubscriber(address, round)
            var lines = ""
            for step in 0..<6 {
                let time = start + Int64(round * 6 + step) * 1000
                lines += "load \(step % 2 == 0 ? 9 : 1) \(time)\n"
                expected.append(
                    "load > 5 load \(time - Int64(step % 2) * 1000) \(step % 2 == 0 ? "firing" : "resolved")")
            }
            try await produce(address, lines)
            let pause = Int.random(in: 0...600, using: &random)
            try await Task.sleep(for: .milliseconds(pause))
            subscriber.kill()
        }
        let last = try startSubscriber(address, 6)
        var ids: [String] = []
        try await eventually("everything is published: \(ids.count) \(last.errorOutput)", within: .seconds(60)) {
            ids = try await published(address)
            return Set(ids).count >= expected.count
        }
        var first: [String] = []
        for id in ids where !first.contains(id) { first.append(id) }
        #expect(first == expected)

        let live = try await weir.run(
            [
                "live", "--alerts", #"{alertname="load > 5"}"#, "--from-beginning", "--limit", "1", "--bootstrap",
                address,
            ])
        #expect(live.status == .exited(0), "\(live.error)")
        #expect(live.output.contains("Z firing load > 5 load = 9 (load > 5), since "), "\(live.output)")
        let json = try await weir.run(
            ["live", "--alerts", "--from-beginning", "--limit", "2", "--format", "json", "--bootstrap", address])
        #expect(json.output.split(separator: "\n").count == 2)
        #expect(json.output.contains(#""status":"firing""#))
        last.signal(SIGTERM)
        let status = try await last.wait()
        #expect(status == .exited(0), "\(last.errorOutput)")
        broker.kill()
    }
}
