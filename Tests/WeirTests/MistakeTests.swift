import TestKit
import Testing

/// What people get wrong, and what they are told: the thing, the reason, and what they could do.
@Suite("mistakes on the command line", .serialized)
struct MistakeTests {
    struct Mistake: CustomTestStringConvertible, Sendable {
        let arguments: String
        /// All of it must be in the answer.
        let told: [String]
        var status: Int32 = 1

        var testDescription: String { "weir \(arguments)" }
    }

    /// 64 is what the arguments themselves are wrong for.
    private static let misused: Int32 = 64

    private static let anywhere = [
        Mistake(arguments: "topic list --bootstrap 127.0.0.1:1", told: ["cannot reach 127.0.0.1:1", "refused"]),
        Mistake(arguments: "group list --bootstrap 127.0.0.1:1", told: ["cannot reach 127.0.0.1:1"]),
        Mistake(arguments: "consume t --bootstrap nohost.invalid:1", told: ["nohost.invalid", "no host of that name"]),
        Mistake(arguments: "produce t --file /nothing/here", told: ["cannot read /nothing/here", "No such file"]),
        Mistake(arguments: "produce a:b", told: ["\"a:b\"", "letters, digits"]),
        Mistake(arguments: "produce t --partition -1", told: ["--partition is -1"], status: misused),
        Mistake(
            arguments: "topic create t --partitions -1", told: ["--partitions is -1", "at least one"], status: misused),
        Mistake(arguments: "topic alter t --partitions 0", told: ["--partitions is 0"], status: misused),
        Mistake(arguments: "consume t --count -1", told: ["--count is -1"], status: misused),
        Mistake(arguments: "consume t --offset -3", told: ["'-3'", "--offset", "earliest, latest"], status: misused),
        Mistake(arguments: "consume t --offset yesterday", told: ["'yesterday'", "earliest, latest"], status: misused),
        Mistake(arguments: "consume t --group g --partition 0", told: ["shares out its partitions"], status: misused),
        Mistake(arguments: "log dump /nothing", told: ["cannot open /nothing:", "No such file"]),
        Mistake(
            arguments: "subscriber --format (a=influx", told: ["the topic pattern", "(a"], status: misused),
        Mistake(
            arguments: "subscriber --format a=xml", told: ["topics 'a'", "xml"], status: misused),
        Mistake(arguments: "subscriber --topics a(", told: ["the topic pattern 'a('"], status: misused),
        Mistake(arguments: "subscriber --alert up==0", told: ["--mode realtime"]),
        Mistake(arguments: "subscriber --mode realtime --alert up", told: ["'up'", "no comparison"], status: misused),
        Mistake(arguments: "live up --limit 0", told: ["--limit is 0"], status: misused),
        Mistake(arguments: "live {a= --bootstrap 127.0.0.1:1", told: ["1:"]),
        Mistake(arguments: "live up --bootstrap 127.0.0.1:1", told: ["cannot reach 127.0.0.1:1", "refused"]),
        Mistake(arguments: "live --alerts --format prometheus", told: ["text or json"]),
        Mistake(arguments: "query up{a=~\"(\"} --database /nothing", told: ["("]),
    ]

    private static let onACluster = [
        Mistake(arguments: "topic describe nothing", told: ["topic nothing does not exist"]),
        Mistake(arguments: "topic configs nothing", told: ["topic nothing does not exist"]),
        Mistake(arguments: "topic delete nothing", told: ["topic nothing"]),
        Mistake(arguments: "topic create orders", told: ["'orders' already exists"]),
        Mistake(arguments: "topic alter orders --partitions 2", told: ["has 3 partitions"]),
        Mistake(arguments: "topic alter orders --config retention.ms=soon", told: ["retention.ms", "soon"]),
        Mistake(arguments: "topic alter orders --config colour=red", told: ["colour"]),
        Mistake(arguments: "consume nothing --exit", told: ["topic nothing does not exist"]),
        Mistake(arguments: "consume orders --offset 77 --exit", told: ["offset 77 is not in orders-0", "0 to 0"]),
        Mistake(arguments: "consume orders --partition 7 --exit", told: ["no partition 7"]),
        Mistake(arguments: "produce orders --partition 9", told: ["no partition 9", "it has 3"]),
        Mistake(arguments: "group describe nobody", told: ["no group 'nobody'"]),
        Mistake(arguments: "group delete nobody", told: ["group nobody"]),
        Mistake(arguments: "group reset-offsets g --topic orders:9 --to earliest", told: ["no partition 9"]),
        Mistake(arguments: "group reset-offsets g --topic nothing --to earliest", told: ["topic nothing"]),
        Mistake(
            arguments: "group reset-offsets g --topic orders --shift-by -5",
            told: ["no offset in orders-0", "--topic orders:0"]),
    ]

    private func check(_ mistake: Mistake, _ weir: WeirProcesses, bootstrap: String? = nil) async throws {
        let arguments = mistake.arguments.split(separator: " ").map(String.init)
        let result = try await weir.run(arguments + (bootstrap.map { ["--bootstrap", $0] } ?? []))
        #expect(result.status == .exited(mistake.status), "\(mistake.testDescription): \(result.error)")
        #expect(result.output.isEmpty, "\(mistake.testDescription): what is no result went to standard output")
        for words in mistake.told {
            #expect(result.error.contains(words), "\(mistake.testDescription): \(result.error)")
        }
    }

    @Test("are told without a cluster", arguments: anywhere)
    func withoutACluster(_ mistake: Mistake) async throws {
        try await check(mistake, try WeirProcesses())
    }

    @Test("are told on a cluster")
    func onACluster() async throws {
        let weir = try WeirProcesses()
        let (broker, address) = try await weir.startBroker()
        let created = try await weir.run(["topic", "create", "orders", "--partitions", "3", "--bootstrap", address])
        #expect(created.status == .exited(0), "\(created.error)")
        for mistake in Self.onACluster { try await check(mistake, weir, bootstrap: address) }
        broker.kill()
    }
}
