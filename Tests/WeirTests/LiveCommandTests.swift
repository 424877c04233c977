import Glibc
import TestKit
import Testing

@Suite("weir live", .serialized)
struct LiveCommandTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    private func produce(_ address: String, _ topic: String, _ lines: String) async throws {
        let directory = try TemporaryDirectory("weir-run")
        let process = try ChildProcess(
            try builtExecutable("weir"), ["produce", topic, "--bootstrap", address], name: "run",
            directory: directory.path, input: lines)
        let status = try await process.wait()
        #expect(status == .exited(0), "\(process.errorOutput)")
    }

    /// Starts it and waits until what is published from now on will be shown.
    private func start(_ address: String, _ arguments: [String], name: String = "live") async throws -> ChildProcess {
        let process = try weir.start(
            ["live", "--bootstrap", address, "--log-level", "info"] + arguments, name: name)
        try await eventually("it reads: \(process.errorOutput)") { process.errorOutput.contains("waiting for what") }
        return process
    }

    @Test("samples of the selected series are shown as they arrive, also of a topic that is new")
    func arrival() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(address, "metrics.load", "node_load1 1 1700000000000\n")
        let live = try await start(address, ["node_load1", #"{room="lab"}"#])
        try await produce(address, "metrics.load", "node_load1 2 1700000000500\nnode_load5 3 1700000000500\n")
        try await produce(address, "metrics.rooms", "temp{room=\"lab\"} 21.5 1700000001000\n")
        let expected = """
            2023-11-14T22:13:20.500Z node_load1 2
            2023-11-14T22:13:21.000Z temp{room="lab"} 21.5

            """
        try await eventually("both are shown: \(live.output)") { live.output == expected }
        live.signal(SIGINT)
        let status = try await live.wait()
        #expect(status == .exited(0))
        broker.kill()
    }

    @Test("it shows what is there already, in each format, and ends at a limit")
    func formats() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(
            address, "metrics.t", "up{job=\"a/b\"} 1 1700000000250\nup{job=\"c\"} NaN 1700000000250\nrest 1\n")
        let expected = [
            "text": #"2023-11-14T22:13:20.250Z up{job="a/b"} 1"# + "\n" + #"2023-11-14T22:13:20.250Z up{job="c"} NaN"#,
            "json": #"{"metric":{"__name__":"up","job":"a/b"},"value":[1700000000.25,"1"]}"# + "\n"
                + #"{"metric":{"__name__":"up","job":"c"},"value":[1700000000.25,"NaN"]}"#,
            "prometheus": #"up{job="a/b"} 1 1700000000250"# + "\n" + #"up{job="c"} NaN 1700000000250"#,
        ]
        for (format, text) in expected {
            let shown = try await weir.run(
                ["live", "up", "--from-beginning", "--limit", "2", "--format", format, "--bootstrap", address])
            #expect(shown.status == .exited(0), "\(shown.error)")
            #expect(shown.output == text + "\n")
        }
        let recent = try await weir.run(["live", "rest", "--since", "1h", "--limit", "1", "--bootstrap", address])
        #expect(recent.output.hasSuffix("Z rest 1\n"))
        let none = try await weir.run(["live", "up", "--for", "100ms", "--bootstrap", address])
        #expect(none.status == .exited(0))
        #expect(none.output.isEmpty)
        broker.kill()
    }

    @Test("what is no sample is said on standard error, and the rest goes on")
    func rejected() async throws {
        let (broker, address) = try await weir.startBroker()
        let live = try await start(address, [])
        try await produce(address, "metrics.t", "this is none\nup 1 1700000000000\n")
        try await eventually("the sample is shown") { live.output == "2023-11-14T22:13:20.000Z up 1\n" }
        try await eventually("the other one is named: \(live.errorOutput)") {
            live.errorOutput.contains("metrics.t-0 offset 0 line 1")
        }
        live.signal(SIGTERM)
        let status = try await live.wait()
        #expect(status == .exited(0))
        broker.kill()
    }

    @Test("whose reader has gone ends quietly")
    func closedPipe() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(address, "metrics.t", "a 1\nb 2\n")
        let live = "'\(try builtExecutable("weir"))' live --from-beginning --bootstrap \(address); echo status $? >&2"
        let shell = try ChildProcess(
            "/bin/sh", ["-c", "{ \(live); } | head -n 1"], name: "shell", directory: weir.directory.path)
        let status = try await shell.wait()
        #expect(status == .exited(0))
        #expect(shell.output.hasSuffix("Z a 1\n"))
        #expect(shell.errorOutput == "status 0\n")
        broker.kill()
    }

    @Test("it waits for a broker that is away, and goes on where it was")
    func outage() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(address, "metrics.t", "up 1 1700000000000\n")
        let live = try await start(address, ["up"])
        broker.signal(SIGTERM)
        _ = try await broker.wait()
        let port = try #require(address.split(separator: ":").last.flatMap { Int($0) })
        let (second, _) = try await weir.startBroker(port: port, name: "second")
        try await produce(address, "metrics.t", "up 2 1700000001000\n")
        try await eventually("what came afterwards is shown: \(live.errorOutput)") {
            live.output == "2023-11-14T22:13:21.000Z up 2\n"
        }
        live.signal(SIGTERM)
        let status = try await live.wait()
        #expect(status == .exited(0))
        second.kill()
    }
}
