import FoundationEssentials
import Testing
import TestKit

@testable import weir

@Suite("Settings")
struct SettingsTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory("weir-settings") }

    private func file(_ text: String) throws -> String {
        let path = directory.appending("weir.yaml")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    private func error(_ text: String) async throws -> String {
        do {
            _ = try await Settings(section: "agent", file: try file(text))
            return ""
        } catch let error as CommandError {
            return error.description
        }
    }

    @Test("a flag wins over the file, and the file over the default")
    func precedence() async throws {
        let settings = try await Settings(section: "agent", file: try file("agent:\n  interval: 5s\n"))
        #expect(try settings.value(Duration.seconds(1), "interval", default: .seconds(10)) == .seconds(1))
        #expect(try settings.value(nil, "interval", default: Duration.seconds(10)) == .seconds(5))
        #expect(try settings.value(nil, "spool-max", default: ByteSize(bytes: 7)).bytes == 7)
    }

    @Test("what stands outside a section holds for every command, and a section's own line wins over it")
    func sharedSettings() async throws {
        let path = try file("instance: all\nagent: { instance: mine }\n")
        let settings = try await Settings(section: "agent", file: path)
        #expect(try settings.value(nil, "instance", default: "") == "mine")
        let shared = try await Settings(section: "agent", file: try file("instance: all\n"))
        #expect(try shared.value(nil, "instance", default: "") == "all")
    }

    @Test("a list may be a YAML list or text with commas", arguments: ["[cpu, load]", "cpu,load"])
    func lists(_ text: String) async throws {
        let settings = try await Settings(section: "agent", file: try file("agent:\n  collectors: \(text)\n"))
        #expect(try settings.value(nil, "collectors", default: NameList(names: [])).names == ["cpu", "load"])
    }

    @Test("a number in the file is text to the command")
    func numbers() async throws {
        let settings = try await Settings(section: "demo", file: try file("demo:\n  broker-port: 9192\n"))
        #expect(try settings.value(nil, "broker-port", default: 0) == 9192)
    }

    @Test("a mistyped name is an error that says what there is")
    func unknownNames() async throws {
        #expect(try await error("agent:\n  intervall: 5s\n").contains("there is no setting 'agent.intervall'"))
        #expect(try await error("agnet:\n  interval: 5s\n").contains("there is no setting 'agnet'"))
        #expect(try await error("agent:\n  intervall: 5s\n").contains("interval, log-level"))
    }

    @Test("a file that is no settings file is an error that names it")
    func badFiles() async throws {
        #expect(try await error("- a\n- b\n").contains("is not a mapping"))
        #expect(try await error("agent: [\n").contains("is no valid YAML"))
        #expect(try await error("agent: 5\n").contains("'agent' should hold settings"))
        await #expect(throws: CommandError.self) {
            _ = try await Settings(section: "agent", file: directory.appending("missing.yaml"))
        }
    }

    @Test("a value that is not valid names its place")
    func badValues() async throws {
        let settings = try await Settings(section: "agent", file: try file("agent:\n  interval: soon\n"))
        let error = try #require(throws: CommandError.self) {
            try settings.value(nil, "interval", default: Duration.seconds(10))
        }
        #expect(error.description.contains("'agent.interval' in"))
        #expect(error.description.contains("'soon'"))
    }

    @Test(
        "sizes have binary units",
        arguments: [("1", 1), ("3KiB", 3072), ("1GiB", 1 << 30)] as [(String, Int)])
    func sizes(_ text: String, _ bytes: Int) {
        #expect(ByteSize(argument: text)?.bytes == bytes)
    }

    @Test("what is no size is refused", arguments: ["", "GiB", "1GB", "-1", "0", "99999999999GiB", "1.5GiB"])
    func badSizes(_ text: String) { #expect(ByteSize(argument: text) == nil) }

    @Test("addresses have a host and a port")
    func addresses() {
        #expect(ListenAddress(argument: "127.0.0.1:0")?.port == 0)
        #expect(ListenAddress(argument: "[::1]:9092")?.host == "::1")
        for text in ["9092", ":9092", "host:", "host:65536", "host:-1"] {
            #expect(ListenAddress(argument: text) == nil)
        }
    }
}
