import FoundationEssentials
import TestKit
import Testing

@testable import Topology

@Suite("weir compare --bootstrap: a cluster that is there already", .serialized)
struct CompareBootstrapTests {
    private let directory: TemporaryDirectory
    private let weir: WeirProcesses

    init() throws {
        directory = try TemporaryDirectory("compare")
        weir = try WeirProcesses()
    }

    private func compare(_ address: String, report: String) async throws -> Comparison {
        let run = try await weir.run(
            [
                "compare", "--quick", "--stage", "pubsub", "--only", "steady,faults", "--hosts", "4", "--series", "10",
                "--bootstrap", address, "--directory", directory.appending("work"), "--report", report,
            ], within: .seconds(120))
        #expect(run.status == .exited(0), "\(run.error)")
        return try Comparison(baseline: "\(report)/comparison.json")
    }

    /// Twice, so that the second finds what the first has published.
    @Test(.timeLimit(.minutes(5)))
    func
        `nothing is lost, the cluster is neither killed nor cut off, and another run does not count what this one left`()
        async throws
    {
        let (broker, address) = try await weir.startBroker()
        for round in ["first", "second"] {
            let stage = try #require(try await compare(address, report: directory.appending(round)).stages.first)
            let steady = try #require(stage.steady)
            #expect(steady.expected > 0 && steady.lost == 0)
            #expect(steady.roles.map(\.role) == [.publisher, .subscriber])
            #expect(stage.faults.map(\.fault) == [.burst, .slowSubscriber, .subscriberKilled])
            #expect(stage.faults.allSatisfy { $0.lost == 0 && $0.recoverySeconds != nil }, "\(stage.faults)")
            #expect(stage.additions.allSatisfy { $0.touched == 0 && $0.secondsUntilData != nil }, "\(stage.additions)")
            #expect(stage.recount.lost == 0 && stage.recount.unexpected == 0, "\(stage.recount)")
        }
        #expect(broker.poll() == nil, "the cluster is still there")
    }

    @Test func `an address where nobody answers is said at once`() async throws {
        let run = try await weir.run(["compare", "--quick", "--bootstrap", "127.0.0.1:1"])
        #expect(run.status == .exited(1))
        #expect(run.error.contains("the cluster of --bootstrap does not answer: "), "\(run.error)")
    }
}
