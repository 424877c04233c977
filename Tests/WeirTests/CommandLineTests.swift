import Glibc
import Testing
import TestKit

@Suite("The command line", .serialized)
struct CommandLineTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    @Test(
        "every command has help",
        arguments: [
            "demo", "broker", "agent", "subscriber", "query", "topic", "group", "rules", "log", "generate",
        ])
    func help(_ command: String) async throws {
        let result = try await weir.run([command, "--help"])
        #expect(result.status == .exited(0))
        #expect(result.output.contains("OVERVIEW:"))
        #expect(result.output.contains("weir \(command)"))
    }

    @Test("variables are read, and a flag wins over them")
    func variables() async throws {
        let bad = ["WEIR_AGENT_COLLECTORS": "cpu,weather"]
        let result = try await weir.run(["agent", "--spool-dir", weir.spool("a")], environment: bad)
        #expect(result.status == .exited(1))
        #expect(result.error.contains("weather"))
        let query = ["query", "--database", weir.database, "up", "--format", "csv"]
        let flag = try await weir.run(query, environment: ["WEIR_QUERY_FORMAT": "xml"])
        #expect(!flag.error.contains("xml"))
        let variable = try await weir.run(Array(query.dropLast(2)), environment: ["WEIR_QUERY_FORMAT": "xml"])
        #expect(variable.error.contains("the variable WEIR_QUERY_FORMAT has the value 'xml'"))
        #expect(variable.error.contains("table, json, csv"))
    }

    @Test("an unknown collector is named, with those there are")
    func unknownCollector() async throws {
        let result = try await weir.run(["agent", "--collectors", "cpu,weather", "--spool-dir", weir.spool("a")])
        #expect(result.status == .exited(1))
        #expect(result.error.contains("weather"))
        #expect(result.error.contains("filesystem"))
    }

    @Test("a port in use is named")
    func portInUse() async throws {
        let (broker, address) = try await weir.startBroker()
        let second = try await weir.run(
            ["broker", "--data-dir", weir.directory.appending("other"), "--listen", address])
        #expect(second.status == .exited(1))
        let port = try #require(address.split(separator: ":").last)
        #expect(second.error.contains("port \(port) of 127.0.0.1 is in use"))
        broker.kill()
    }

    @Test("a data directory belongs to one broker at a time")
    func directoryInUse() async throws {
        let (broker, _) = try await weir.startBroker()
        let second = try await weir.run(
            ["broker", "--data-dir", weir.directory.appending("broker"), "--listen", "127.0.0.1:0"])
        #expect(second.status == .exited(1))
        #expect(second.error.contains(weir.directory.appending("broker")))
        #expect(second.error.contains("\(broker.identifier)"))
        broker.kill()
    }

    @Test("a data directory that cannot be made is named")
    func unusableDirectory() async throws {
        let result = try await weir.run(["broker", "--data-dir", "/proc/weir", "--listen", "127.0.0.1:0"])
        #expect(result.status == .exited(1))
        #expect(result.error.contains("/proc/weir"))
    }

    @Test("a selector that is none gets its place shown")
    func badSelector() async throws {
        let result = try await weir.run(["query", "--database", weir.database, "node_load1{instance=}"])
        #expect(result.status == .exited(1))
        #expect(result.error.contains("node_load1{instance=}"))
        #expect(result.error.contains("^"))
    }

    @Test("a database that is not there is named")
    func missingDatabase() async throws {
        let result = try await weir.run(["query", "--database", weir.database, "up"])
        #expect(result.status == .exited(1))
        #expect(result.error.contains(weir.database))
    }

    @Test("topic commands name an unreachable cluster and end")
    func unreachable() async throws {
        let result = try await weir.run(["topic", "list", "--bootstrap", "127.0.0.1:1", "--timeout", "1s"])
        #expect(result.status == .exited(1))
        #expect(result.error.contains("127.0.0.1:1"))
    }

    @Test("topics are created, listed, described and deleted")
    func topics() async throws {
        let (broker, address) = try await weir.startBroker()
        func topic(_ arguments: String...) async throws -> (status: ChildProcess.ExitStatus, text: String) {
            let result = try await weir.run(["topic"] + arguments + ["--bootstrap", address])
            return (result.status, result.output + result.error)
        }
        #expect(try await topic("create", "orders", "--partitions", "3").status == .exited(0))
        #expect(try await topic("list").text.contains("orders"))
        let described = try await topic("describe", "orders", "--format", "json")
        #expect(described.text.contains(#""partition" : 2"#))
        let again = try await topic("create", "orders")
        #expect(again.status == .exited(1))
        #expect(again.text.contains("orders"))
        let invalid = try await topic("create", "no/slash")
        #expect(invalid.status == .exited(1))
        #expect(invalid.text.contains("no/slash"))
        #expect(try await topic("delete", "orders").status == .exited(0))
        #expect(try await !topic("list").text.contains("orders"))
        let missing = try await topic("describe", "orders")
        #expect(missing.status == .exited(1))
        #expect(missing.text.contains("orders"))
        broker.kill()
    }

    @Test("long-running commands end within 2 s of a signal, with status 0", arguments: [SIGTERM, SIGINT])
    func signals(_ signal: Int32) async throws {
        let (broker, address) = try await weir.startBroker()
        let subscriber = try weir.startSubscriber(address)
        let agent = try weir.startAgent(address, instance: "a")
        try await eventually("samples are stored: \(subscriber.errorOutput) \(agent.errorOutput)") {
            try await weir.run(["query", "--database", weir.database, "node_load1", "--format", "csv"])
                .output.contains("node_load1")
        }
        for process in [agent, subscriber, broker] {
            let clock = ContinuousClock()
            let start = clock.now
            process.signal(signal)
            let processStatus = try await process.wait()
            #expect(processStatus == .exited(0))
            // The promise is 2 s; the rest is the machine's, which may be slow.
            #expect(clock.now - start < .seconds(5))
        }
    }

    @Test("an agent whose brokers are away says so once, spools, and ends cleanly")
    func agentWithoutBroker() async throws {
        let agent = try weir.startAgent("127.0.0.1:1", instance: "lonely")
        try await eventually("it says so: \(agent.errorOutput)") { agent.errorOutput.contains("127.0.0.1:1") }
        agent.signal(SIGTERM)
        let agentStatus = try await agent.wait()
        #expect(agentStatus == .exited(0))
        let lines = agent.errorOutput.split(separator: "\n").filter { $0.contains("127.0.0.1:1") }
        #expect(lines.count <= 2, "one line when it starts, not one a try: \(agent.errorOutput)")
    }

    @Test("the demo ends by itself with a table of this host's metrics")
    func demo() async throws {
        let result = try await weir.run(
            ["demo", "--for", "4s", "--broker-port", "0", "--data-dir", weir.directory.appending("demo")])
        #expect(result.status == .exited(0), "\(result.error)")
        for word in [
            "node_cpu", "node_memory", "node_load1", "node_filesystem", "node_network", " query --database", "kcat",
        ] {
            #expect(result.output.contains(word), "\(word) is missing in \(result.output)")
        }
    }
}
