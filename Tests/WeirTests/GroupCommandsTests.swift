import FoundationEssentials
import Glibc
import TestKit
import Testing

@Suite("weir group", .serialized)
struct GroupCommandsTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    private struct Description: Decodable {
        struct Row: Decodable {
            let partition: Int
            let committedOffset: Int?
            let lag: Int?
            let lagSeconds: Double?
        }
        let members: Int
        let partitions: [Row]
    }

    private struct Reset: Decodable, Equatable {
        let topic: String
        let partition: Int
        let previousOffset: Int?
        let newOffset: Int
    }

    private func group(
        _ address: String, _ arguments: String...
    ) async throws -> (status: ChildProcess.ExitStatus, output: String, error: String) {
        try await weir.run(["group"] + arguments + ["--bootstrap", address])
    }

    private func lag(_ address: String) async throws -> Description {
        let result = try await group(address, "describe", "g", "--format", "json")
        return try JSONDecoder().decode(Description.self, from: Data(result.output.utf8))
    }

    private func produce(_ address: String, _ lines: Int) async throws {
        let file = weir.directory.appending("lines")
        try (0..<lines).map { "line \($0)\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        let result = try await weir.run(["produce", "t", "--file", file, "--bootstrap", address])
        #expect(result.status == .exited(0), "\(result.error)")
    }

    /// `previous → new` of each partition.
    private func reset(_ address: String, _ arguments: String...) async throws -> [Reset] {
        let result = try await weir.run(
            ["group", "reset-offsets", "g"] + arguments + ["--format", "json", "--bootstrap", address])
        #expect(result.status == .exited(0), "\(result.error)")
        return try JSONDecoder().decode([Reset].self, from: Data(result.output.utf8))
    }

    @Test("the lag is told in offsets and in seconds")
    func lagInSeconds() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(address, 5)
        let read = ["consume", "t", "--group", "g", "--from-beginning", "--bootstrap", address]
        #expect(try await weir.run(read + ["--count", "2"]).status == .exited(0))
        let behind = try #require(try await lag(address).partitions.first)
        #expect(behind.committedOffset == 2)
        #expect(behind.lag == 3)
        #expect(try #require(behind.lagSeconds) > 0)
        #expect(try #require(behind.lagSeconds) < 600)
        let table = try await group(address, "describe", "g")
        #expect(table.output.contains("lag seconds"))
        #expect(try await weir.run(read + ["--exit"]).status == .exited(0))
        let even = try #require(try await lag(address).partitions.first)
        #expect(even.lag == 0)
        #expect(even.lagSeconds == 0)
        broker.kill()
    }

    @Test("offsets are reset to a place, a time or by a shift, and a dry run only shows them")
    func resetting() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(address, 10)
        func expect(_ rows: [Reset], _ previous: Int?, _ new: Int) {
            #expect(rows == [Reset(topic: "t", partition: 0, previousOffset: previous, newOffset: new)])
        }
        expect(try await reset(address, "--topic", "t", "--to", "latest", "--dry-run"), nil, 10)
        expect(try await reset(address, "--topic", "t", "--to", "latest"), nil, 10)
        expect(try await reset(address, "--topic", "t:0", "--to", "4"), 10, 4)
        expect(try await reset(address, "--topic", "t", "--shift-by=-3"), 4, 1)
        expect(try await reset(address, "--topic", "t", "--shift-by", "1000"), 1, 10)
        expect(try await reset(address, "--topic", "t", "--to", "2000-01-01T00:00:00Z"), 10, 0)
        #expect(try await lag(address).partitions.first?.lag == 10)
        let both = try await group(address, "reset-offsets", "g", "--topic", "t")
        #expect(both.error.contains("--to or --shift-by"))
        let missing = try await group(address, "reset-offsets", "g", "--topic", "t:7", "--to", "earliest")
        #expect(missing.error.contains("no partition 7"))
        broker.kill()
    }

    @Test("a group with members is neither reset nor deleted, and they are named; one without is deleted")
    func members() async throws {
        let (broker, address) = try await weir.startBroker()
        try await produce(address, 1)
        let consumer = try weir.start(
            ["consume", "t", "--group", "g", "--from-beginning", "--bootstrap", address], name: "member")
        try await eventually("it has read: \(consumer.errorOutput)") { !consumer.output.isEmpty }
        let reset = try await group(address, "reset-offsets", "g", "--topic", "t", "--to", "earliest")
        #expect(reset.status == .exited(1))
        #expect(reset.error.contains("group g has 1 member"))
        #expect(reset.error.contains("weir"))
        let refused = try await group(address, "delete", "g")
        #expect(refused.status == .exited(1))
        #expect(refused.error.contains("deleting group g"))
        consumer.signal(SIGTERM)
        let consumerStatus = try await consumer.wait()
        #expect(consumerStatus == .exited(0))
        let deleted = try await group(address, "delete", "g")
        #expect(deleted.status == .exited(0), "\(deleted.error)")
        #expect(try await !group(address, "list").output.contains("g "))
        broker.kill()
    }
}
