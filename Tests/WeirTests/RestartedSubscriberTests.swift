import FoundationEssentials
import Glibc
import TestKit
import Testing

/// Subscribers that end in one way or another, and who has their partitions then. Sessions last longer than any test waits: where
/// partitions come to somebody nevertheless, no session was waited for.
@Suite("A subscriber's place in its group", .serialized)
struct RestartedSubscriberTests {
    private static let session = ["--session-timeout", "20m"]
    private static let partitions = 4

    private let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    private func makeTopic(_ address: String) async throws {
        let run = try await weir.run([
            "topic", "create", "metrics.up", "--partitions", "\(Self.partitions)", "--bootstrap", address,
        ])
        #expect(run.status == .exited(0), "\(run.error)")
    }

    /// Sends a sample to each partition, now, all of them new series. `count` is how many there are with these.
    private func send(upTo count: Int, _ address: String) async throws {
        let now = Int64(time(nil)) * 1000
        for number in count - Self.partitions..<count {
            let path = weir.directory.appending("line")
            try "up{n=\"\(number)\"} 1 \(now)\n".write(toFile: path, atomically: false, encoding: .utf8)
            let run = try await weir.run([
                "produce", "metrics.up", "--partition", "\(number % Self.partitions)", "--file", path, "--bootstrap",
                address,
            ])
            #expect(run.status == .exited(0), "\(run.error)")
        }
    }

    private func untilStored(_ count: Int, _ subscribers: ChildProcess...) async throws {
        try await eventually(
            "\(count) samples are stored: \(subscribers.map(\.errorOutput))", within: .seconds(60)
        ) { (try? StoredSamples(database: weir.database).count) == count }
    }

    /// Until the process has said so often that it reads all partitions.
    private func untilReadsAll(_ subscriber: ChildProcess) async throws {
        let all = (0..<Self.partitions).map { "metrics.up-\($0)" }.joined(separator: ", ")
        try await eventually("it reads all: \(subscriber.errorOutput)", within: .seconds(60)) {
            subscriber.errorOutput.contains("reading \(all)")
        }
    }

    private struct Group: Decodable {
        struct Partition: Decodable { let member: String? }
        let members: Int
        let partitions: [Partition]
    }

    private func group(_ address: String) async throws -> Group {
        let run = try await weir.run(["group", "describe", "weir", "--format", "json", "--bootstrap", address])
        return try JSONDecoder().decode(Group.self, from: Data(run.output.utf8))
    }

    @Test("killed and started again it goes on at once, as the same member")
    func killed() async throws {
        let (broker, address) = try await weir.startBroker()
        try await makeTopic(address)
        let killed = try weir.startSubscriber(address, name: "killed", Self.session)
        try await send(upTo: 4, address)
        try await untilStored(4, killed)
        killed.kill()
        #expect(try await killed.wait() == .signalled(SIGKILL))
        let restarted = try weir.startSubscriber(address, name: "restarted", Self.session)
        try await send(upTo: 8, address)
        try await untilStored(8, restarted)
        try await untilReadsAll(restarted)
        #expect(try await group(address).members == 1)
        restarted.signal(SIGTERM)
        #expect(try await restarted.wait() == .exited(0))
        #expect(try await group(address).members == 0, "it has left")
        withExtendedLifetime(broker) {}
    }

    @Test("of two, a killed one's successor has its partitions, and a shut down one's go to the other")
    func two() async throws {
        let (broker, address) = try await weir.startBroker()
        try await makeTopic(address)
        let stays = try weir.startSubscriber(address, name: "stays", Self.session)
        try await untilReadsAll(stays)
        let killed = try weir.startSubscriber(address, name: "killed", Self.session)
        try await eventually("both read: \(killed.errorOutput)", within: .seconds(60)) {
            killed.errorOutput.contains("reading metrics.up-")
        }
        killed.kill()
        #expect(try await killed.wait() == .signalled(SIGKILL))
        let successor = try weir.startSubscriber(address, name: "successor", Self.session)
        try await send(upTo: 4, address)
        try await untilStored(4, stays, successor)
        #expect(try await group(address).members == 2)
        #expect(successor.errorOutput.contains("reading metrics.up-"))

        successor.signal(SIGTERM)
        #expect(try await successor.wait() == .exited(0))
        try await send(upTo: 8, address)
        try await untilStored(8, stays)
        #expect(try await group(address).members == 1)
        withExtendedLifetime(broker) {}
    }

    @Test("one that is merely stopped keeps its place: another does not fence it")
    func stopped() async throws {
        let (broker, address) = try await weir.startBroker()
        try await makeTopic(address)
        let stopped = try weir.startSubscriber(address, name: "stopped", Self.session)
        try await untilReadsAll(stopped)
        stopped.signal(SIGSTOP)
        let other = try weir.startSubscriber(address, name: "other", Self.session)
        try await eventually("both are members", within: .seconds(60)) { try await group(address).members == 2 }
        stopped.signal(SIGCONT)
        try await send(upTo: 4, address)
        try await untilStored(4, stopped, other)
        for process in [stopped, other] {
            process.signal(SIGTERM)
            #expect(try await process.wait() == .exited(0), "\(process.errorOutput)")
        }
        withExtendedLifetime(broker) {}
    }

    @Test(
        "known by a name it stays a member over a shutdown; as nobody in particular it does not",
        arguments: ["none", "lab-1"])
    func chosen(id: String) async throws {
        let (broker, address) = try await weir.startBroker()
        try await makeTopic(address)
        let arguments = Self.session + ["--group-instance-id", id]
        let first = try weir.startSubscriber(address, name: "first", arguments)
        try await send(upTo: 4, address)
        try await untilStored(4, first)
        let member = id == "none" ? "weir-subscriber-" : "lab-1-"
        #expect(try await group(address).partitions.allSatisfy { $0.member?.hasPrefix(member) == true })
        first.signal(SIGTERM)
        #expect(try await first.wait() == .exited(0), "\(first.errorOutput)")
        #expect(try await group(address).members == (id == "none" ? 0 : 1))
        let second = try weir.startSubscriber(address, name: "second", arguments)
        try await send(upTo: 8, address)
        try await untilStored(8, second)
        withExtendedLifetime(broker) {}
    }

    @Test("a name that no member can have is refused")
    func badName() async throws {
        let run = try await weir.run(["subscriber", "--group-instance-id", "a b", "--database", weir.database])
        #expect(run.status != .exited(0) && run.error.contains("a b"), "\(run.error)")
    }
}
