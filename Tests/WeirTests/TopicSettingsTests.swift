import TestKit
import Testing

@Suite("weir topic settings", .serialized)
struct TopicSettingsTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    @Test("settings are given, shown, changed and taken back; partitions are added")
    func settings() async throws {
        let (broker, address) = try await weir.startBroker()
        func topic(_ arguments: String...) async throws -> (status: ChildProcess.ExitStatus, text: String) {
            let result = try await weir.run(["topic"] + arguments + ["--bootstrap", address])
            return (result.status, result.output + result.error)
        }
        func line(_ name: String) async throws -> [Substring] {
            let lines = try await topic("configs", "t").text.split(separator: "\n")
            return lines.first { $0.hasPrefix(name + " ") }?.split(separator: " ") ?? []
        }
        let created = try await topic("create", "t", "--config", "retention.ms=3600000")
        #expect(created.status == .exited(0), "\(created.text)")
        #expect(try await line("retention.ms") == ["retention.ms", "3600000", "topic"])
        let altered = try await topic(
            "alter", "t", "--partitions", "3", "--config", "max.message.bytes=2000000", "--delete-config",
            "retention.ms")
        #expect(altered.status == .exited(0), "\(altered.text)")
        #expect(try await line("retention.ms").last == "default")
        #expect(try await line("max.message.bytes") == ["max.message.bytes", "2000000", "topic"])
        #expect(try await topic("describe", "t", "--format", "json").text.contains(#""partition" : 2"#))
        #expect(try await topic("configs", "t", "--format", "json").text.contains(#""value" : "2000000""#))

        let fewer = try await topic("alter", "t", "--partitions", "1")
        #expect(fewer.status == .exited(1))
        #expect(fewer.text.contains("adding partitions to topic t"))
        let invalid = try await topic("alter", "t", "--config", "retention.ms=soon")
        #expect(invalid.status == .exited(1))
        #expect(invalid.text.contains("retention.ms"))
        let nothing = try await topic("alter", "t")
        #expect(nothing.text.contains("--partitions, --config or --delete-config"))
        let missing = try await topic("configs", "nowhere")
        #expect(missing.status == .exited(1))
        #expect(missing.text.contains("nowhere"))
        broker.kill()
    }
}
