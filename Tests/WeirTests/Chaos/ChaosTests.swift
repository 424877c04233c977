import Aggregation
import Glibc
import TestKit
import Testing

/// The promise of exactly once for subscribers that share a database, against everything that dies or stands still at random
/// instants. `scripts/chaos` runs it for longer.
@Suite("Chaos: two subscribers, one database", .serialized)
struct ChaosTests {
    private static func setting(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// How often a process is killed.
    private static let kills = setting("WEIR_CHAOS_KILLS").flatMap { Int($0) } ?? 20
    private static let mode = setting("WEIR_CHAOS_MODE") ?? "batch"

    @Test("every sample is stored once and every window counts it once, whatever is killed, stopped or sent again")
    func everySampleOnce() async throws {
        var random = SeededRandom(SeededGenerator())
        let chaos = try await Chaos(mode: Self.mode, random: &random)
        let outcome = try await chaos.run(kills: Self.kills, using: &random)
        print("\(Self.mode): \(outcome)")

        let ledgers = await chaos.ledgers()
        let stored = try StoredSamples(database: chaos.weir.database)
        let problems = try Self.problems(stored, ledgers)
        #expect(problems.count == 0, "\(problems.count) of the samples and windows, such as \(problems.prefix(5))")
        #expect(stored.count == outcome.samples)
        let check = try await chaos.weir.run(["database", "check", "--database", chaos.weir.database])
        #expect(check.status == .exited(0), "\(check.output)\(check.error)")
        // In a short run none may happen to have something in hand.
        if Self.kills >= 100 {
            #expect(outcome.positionConflicts > 0, "nobody ever had in hand what another one had stored")
        }
    }

    /// What is not in the database as the ledgers have it.
    private static func problems(_ stored: StoredSamples, _ ledgers: [ChaosLedger]) throws -> [String] {
        var problems: [String] = []
        for ledger in ledgers {
            #expect(ledger.sampleCount > 0)
            for (series, samples) in ledger.samples where stored.samples[series] != samples {
                problems.append("\(series): \(stored.samples[series]?.count ?? 0) of \(samples.count) samples")
            }
            for series in ledger.single where stored.samples[series]?.count != 1 {
                problems.append("\(series): \(stored.samples[series]?.count ?? 0) samples instead of one")
            }
        }
        for resolution in Resolution.allCases {
            let windows = try stored.windows(resolution)
            for (series, expected) in ledgers.flatMap({ $0.windows(resolution) }) where windows[series] != expected {
                problems.append("windows of \(resolution) of \(series)")
            }
        }
        return problems
    }
}
