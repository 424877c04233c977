import FoundationEssentials
import Glibc
import TestKit
import Testing

@testable import Topology

@Suite("The page, JSON and CSV of a comparison")
struct ComparisonPageTests {
    @Test func `the page needs nothing beside it`() throws {
        let (comparison, stages) = try SampleComparison.make()
        let html = try ComparisonPage(comparison, stages: stages, tables: ComparisonTables(comparison).all).html()
        for reference in ["http:", "https:", "src=", "url(", "@import", "<link", "import ", "fetch("] {
            #expect(!html.contains(reference), "the page refers to something else: \(reference)")
        }
        #expect(!html.contains("{{"), "something was not filled in")
        #expect(html.components(separatedBy: "<svg class=\"diagram\"").count == stages.count + 1)
        // The command in the data does not end the element that it stands in.
        #expect(html.components(separatedBy: "</script>").count == 3)
    }

    @Test func `every question has its table, with marks, and says what it means`() throws {
        let (comparison, _) = try SampleComparison.make()
        let tables = ComparisonTables(comparison).all
        #expect(
            tables.map(\.name) == [
                "size", "growth", "freshness", "cost", "limit", "burst", "slow-subscriber", "subscriber-killed",
                "broker-killed", "network-cut", "accounts", "modes", "scale",
            ])
        for table in tables {
            #expect(!table.meaning.isEmpty, "\(table.name)")
            #expect(table.rows.allSatisfy { $0.cells.count == table.columns.count })
        }
        let size = try #require(tables.first)
        let connections = try #require(size.columns.firstIndex { $0.title == "connections" })
        #expect(size.rows.map { $0.cells[connections].mark } == [.best, nil, .worst, nil, nil, nil])
    }

    @Test func `the JSON is a baseline for the next comparison`() throws {
        let directory = try TemporaryDirectory("report")
        let (comparison, stages) = try SampleComparison.make()
        let report = ComparisonReport(comparison, stages: stages, tables: ComparisonTables(comparison).all)
        try report.write(to: directory.appending("out"))
        let earlier = try Comparison(baseline: directory.appending("out/comparison.json"))
        let changes = try #require(ComparisonTables.changes(since: earlier, in: comparison))
        // Each stage left to itself and at its limit, four modes, three sizes in two ways.
        #expect(changes.rows.count == stages.count * 2 + 4 + 6)
        #expect(changes.rows.allSatisfy { $0.cells[2].text == "0 %" })
        #expect(ComparisonAgreement(earlier, comparison).holds)
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.appending("out"))
        #expect(
            Set(names).isSuperset(of: ["index.html", "comparison.json", "size.csv", "network-cut.csv", "scale.csv"]))
        // For looking at it: WEIR_TEST_REPORT=DIR swift test --filter ComparisonPageTests
        if let kept = getenv("WEIR_TEST_REPORT") { try report.write(to: String(cString: kept)) }
    }

    @Test func `two runs agree in their counts, and in CPU within a fifth; what does not is named`() throws {
        let (earlier, _) = try SampleComparison.make()
        var now = earlier
        // How many samples there were, and what direct links lost of them, follows from moments.
        now.stages[0].recount.expected += 1000
        now.stages[0].recount.lost += 30
        now.stages[0].steady?.roles[0].cpuSecondsPerMillion *= 1.1
        #expect(ComparisonAgreement(earlier, now).holds)

        now.stages[3].recount.lost = 1
        now.stages[3].additions[1].touched = 2
        now.stages[3].steady?.roles[0].cpuSecondsPerMillion *= 3
        let agreement = ComparisonAgreement(earlier, now)
        #expect(!agreement.holds)
        #expect(
            agreement.differences.map(\.description) == ["pubsub: +subscriber touched 0 → 2", "pubsub: lost 0 → 1"])
        #expect(agreement.measurements.filter { !$0.isWithinTolerance }.map(\.subject) == ["pubsub, steady"])
        let meaning = try #require(ComparisonTables.changes(since: earlier, in: now)).meaning
        #expect(meaning.contains("2 differ: pubsub: +subscriber touched 0 → 2; pubsub: lost 0 → 1."))
        #expect(meaning.contains("by more than 20 % in pubsub, steady."))
    }

    @Test func `what is no comparison is refused`() throws {
        let directory = try TemporaryDirectory("baseline")
        let path = directory.appending("x.json")
        #expect(throws: BaselineError.self) { try Comparison(baseline: path) }
        try "{\"format\": 99}".write(toFile: path, atomically: false, encoding: .utf8)
        let error = #expect(throws: BaselineError.self) { try Comparison(baseline: path) }
        #expect(error?.description.contains("has format 99") == true)
    }
}
