import FoundationEssentials
import Glibc
import TestKit
import Testing

@Suite("weir produce and weir consume", .serialized)
struct RecordCommandsTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    /// Runs `weir` with something on standard input.
    private func run(
        _ arguments: [String], input: String
    ) async throws -> (status: ChildProcess.ExitStatus, output: String, error: String) {
        let directory = try TemporaryDirectory("weir-run")
        let process = try ChildProcess(
            try builtExecutable("weir"), arguments, name: "run", directory: directory.path, input: input)
        let status = try await process.wait()
        return (status, process.output, process.errorOutput)
    }

    private func consume(_ address: String, _ arguments: String...) async throws -> String {
        let result = try await weir.run(["consume"] + arguments + ["--exit", "--bootstrap", address])
        #expect(result.status == .exited(0), "\(result.error)")
        return result.output
    }

    @Test("both have help", arguments: ["produce", "consume"])
    func help(_ command: String) async throws {
        let result = try await weir.run([command, "--help"])
        #expect(result.status == .exited(0))
        #expect(result.output.contains("weir \(command) <topic>"))
    }

    @Test("lines come out as they went in, in order, with every codec")
    func lines() async throws {
        let (broker, address) = try await weir.startBroker()
        let lines = (0..<5000).map { "line \($0) äöü" } + ["", "no line feed at the end"]
        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            let result = try await run(
                ["produce", "t-\(codec)", "--compression", codec, "--bootstrap", address],
                input: lines.joined(separator: "\n"))
            #expect(result.status == .exited(0), "\(result.error)")
            #expect(result.output.isEmpty)
            #expect(result.error.contains("5002 records"))
            let read = try await consume(address, "t-\(codec)")
            #expect(read == lines.joined(separator: "\n") + "\n")
        }
        broker.kill()
    }

    @Test("keys, headers, partitions and offsets are shown as JSON")
    func json() async throws {
        struct Row: Decodable {
            struct Header: Decodable, Equatable {
                let key: String
                let value: String?
            }
            let topic: String
            let partition: Int
            let offset: Int
            let timestamp: Int
            let key: String?
            let value: String?
            let headers: [Header]
        }
        let (broker, address) = try await weir.startBroker()
        _ = try await weir.run(["topic", "create", "t", "--partitions", "3", "--bootstrap", address])
        let keyed = try await run(
            [
                "produce", "t", "--key-separator", "::", "--partition", "2", "--header", "a=1=1", "--header", "b=",
                "--acks", "1", "--format", "json", "--bootstrap", address,
            ], input: "k1::\"quoted\"\tand\\more\u{1}\n::empty key\n")
        #expect(keyed.status == .exited(0), "\(keyed.error)")
        #expect(keyed.output.contains(#""records" : 2"#))
        let rows = try await consume(address, "t", "--format", "json").split(separator: "\n").map {
            try JSONDecoder().decode(Row.self, from: Data($0.utf8))
        }
        #expect(rows.map(\.key) == ["k1", ""])
        #expect(rows.map(\.value) == ["\"quoted\"\tand\\more\u{1}", "empty key"])
        #expect(rows.allSatisfy { $0.topic == "t" && $0.partition == 2 && $0.timestamp > 1_600_000_000_000 })
        #expect(rows.map(\.offset) == [0, 1])
        #expect(rows.first?.headers == [.init(key: "a", value: "1=1"), .init(key: "b", value: "")])
        let missing = try await run(
            ["produce", "t", "--key-separator", "::", "--bootstrap", address], input: "a::b\nno key\n")
        #expect(missing.status == .exited(1))
        #expect(missing.error.contains("line 2"))
        broker.kill()
    }

    @Test("reading starts at an offset, a time or the end, and stops after --count")
    func places() async throws {
        let (broker, address) = try await weir.startBroker()
        _ = try await run(["produce", "t", "--bootstrap", address], input: "a\nb\nc\nd\n")
        #expect(try await consume(address, "t", "--offset", "2") == "c\nd\n")
        #expect(try await consume(address, "t", "--offset", "1", "--count", "2") == "b\nc\n")
        #expect(try await consume(address, "t", "--offset", "latest").isEmpty)
        #expect(try await consume(address, "t", "--offset", "2000-01-01T00:00:00Z") == "a\nb\nc\nd\n")
        #expect(try await consume(address, "t", "--offset", "2200-01-01T00:00:00Z").isEmpty)
        let outside = try await weir.run(["consume", "t", "--offset", "9", "--bootstrap", address])
        #expect(outside.status == .exited(1))
        #expect(outside.error.contains("holds 0 to 4"))
        let missing = try await weir.run(["consume", "nowhere", "--bootstrap", address])
        #expect(missing.status == .exited(1))
        #expect(missing.error.contains("nowhere"))
        broker.kill()
    }

    @Test("samples are parsed, and a line that is none is named")
    func samples() async throws {
        let (broker, address) = try await weir.startBroker()
        _ = try await run(
            ["produce", "metrics.home", "--bootstrap", address], input: "up{job=\"a\"} 1 1000\nthis is none\n")
        let result = try await weir.run(
            ["consume", "metrics.home", "--format", "samples", "--exit", "--bootstrap", address])
        #expect(result.output == "up{job=\"a\"} 1 1000\n")
        #expect(result.error.contains("metrics.home-0 at offset 1"))
        broker.kill()
    }

    @Test("a group goes on where it has got to")
    func groups() async throws {
        let (broker, address) = try await weir.startBroker()
        _ = try await run(["produce", "t", "--bootstrap", address], input: "a\nb\nc\n")
        #expect(try await consume(address, "t", "--group", "g", "--from-beginning", "--count", "2") == "a\nb\n")
        #expect(try await consume(address, "t", "--group", "g") == "c\n")
        #expect(try await consume(address, "t", "--group", "g").isEmpty)
        broker.kill()
    }

    @Test("a signal ends a consumer cleanly, with and without a group", arguments: [SIGTERM, SIGINT])
    func signals(_ signal: Int32) async throws {
        let (broker, address) = try await weir.startBroker()
        _ = try await run(["produce", "t", "--bootstrap", address], input: "a\n")
        for group in [[], ["--group", "g"]] {
            let consumer = try weir.start(
                ["consume", "t", "--from-beginning", "--bootstrap", address] + group, name: "consumer\(group.count)")
            try await eventually("it has read: \(consumer.errorOutput)") { consumer.output == "a\n" }
            consumer.signal(signal)
            let consumerStatus = try await consumer.wait()
            #expect(consumerStatus == .exited(0))
            #expect(consumer.errorOutput.isEmpty, "\(consumer.errorOutput)")
        }
        broker.kill()
    }

    @Test("a consumer whose reader has gone ends quietly")
    func closedPipe() async throws {
        let (broker, address) = try await weir.startBroker()
        _ = try await run(["produce", "t", "--bootstrap", address], input: "a\nb\n")
        let consumer =
            "'\(try builtExecutable("weir"))' consume t --from-beginning --bootstrap \(address); echo status $? >&2"
        let shell = try ChildProcess(
            "/bin/sh", ["-c", "{ \(consumer); } | head -n 1"], name: "shell", directory: weir.directory.path)
        let shellStatus = try await shell.wait()
        #expect(shellStatus == .exited(0))
        #expect(shell.output == "a\n")
        #expect(shell.errorOutput == "status 0\n")
        broker.kill()
    }

    @Test("nobody there is said at once")
    func unreachable() async throws {
        for arguments in [["produce", "t"], ["consume", "t"]] {
            let result = try await run(arguments + ["--bootstrap", "127.0.0.1:1", "--timeout", "1s"], input: "a\n")
            #expect(result.status == .exited(1))
            #expect(result.error.contains("127.0.0.1:1"))
        }
    }
}
