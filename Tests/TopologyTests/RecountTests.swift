import FoundationEssentials
import Logging
import MetricModel
import SeriesStore
import TestKit
import Testing

@testable import Topology

@Suite("Recount: ledgers against databases")
struct RecountTests {
    private let directory: TemporaryDirectory
    private let start: Int64 = 1_764_316_800_000

    init() throws { directory = try TemporaryDirectory("recount") }

    private func write(ledger: String, _ lines: [String]) throws -> String {
        let path = directory.appending(ledger)
        try lines.map { $0 + "\n" }.joined().write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    /// A database with these samples: instance, series of it, seconds after the start.
    private func store(_ samples: [(instance: String, series: Int, second: Int)]) throws -> String {
        let path = directory.appending("db.sqlite")
        let writer = try SeriesWriter(path: path, logger: Logger(label: "test"))
        var head = Head()
        var references: [String: SeriesReference] = [:]
        for sample in samples {
            let name = "\(sample.instance)/\(sample.series)"
            if references[name] == nil {
                let reference = SeriesReference(rawValue: UInt32(references.count))
                references[name] = reference
                head.define(reference, labels: ["__name__": "m\(sample.series)", "instance": sample.instance])
            }
            let reference = try #require(references[name])
            head.append(
                reference, timestamp: Timestamp(milliseconds: start + Int64(sample.second) * 1000), value: 1)
        }
        _ = try writer.commit(head)
        try writer.close()
        return path
    }

    private func expectation(
        _ ledger: String, topics: String? = nil, since: Int64 = 0
    ) -> StageRun.Expectation {
        StageRun.Expectation(ledger: ledger, publisher: "cpu", subscriber: "reader", topics: topics, since: since)
    }

    @Test func `what is missing is lost, at its time; what nobody published is unexpected`() throws {
        let ledger = try write(
            ledger: "cpu.ledger",
            [
                "# weir-ledger kind=cpu hosts=2 series=2 interval_ms=1000 seed=1 prefix=cpu topic=metrics.cpu",
                "\(start)\tmetrics.cpu\tcpu-0\t2\t0", "\(start)\tmetrics.cpu\tcpu-1\t2\t1",
                "\(start + 1000)\tmetrics.cpu\tcpu-0\t2\t2", "\(start + 1000)\tmetrics.cpu\tcpu-1\t2\t3",
            ])
        // All of second 0, one sample of second 1; and one that is in no ledger.
        let database = try store([
            ("cpu-0", 0, 0), ("cpu-0", 1, 0), ("cpu-1", 0, 0), ("cpu-1", 1, 0), ("cpu-0", 0, 1), ("cpu-9", 0, 1),
        ])
        let recount = try Recount(subscriber: "reader", database: database, expectations: [expectation(ledger)])
        #expect(recount.expected == 8)
        #expect(recount.stored == 6)
        #expect(recount.lost == 3)
        #expect(recount.unexpected == 1)
        #expect(recount.countedWrong == 0)
        #expect(recount.lost(from: start, to: start + 1000) == 0)
        #expect(recount.lost(from: start + 1000, to: start + 2000) == 3)
    }

    @Test func `topics that are not subscribed to, and records before its time, are not expected`() throws {
        let ledger = try write(
            ledger: "mixed.ledger",
            [
                "\(start)\tmetrics.cpu\tcpu-0\t1\t0", "\(start)\tlogs.events\tlog-0\t1\t1",
                "\(start + 1000)\tmetrics.cpu\tcpu-0\t1\t2",
            ])
        let database = try store([("cpu-0", 0, 1)])
        let subscribed = try Recount(
            subscriber: "reader", database: database, expectations: [expectation(ledger, topics: #"metrics\..*"#)])
        #expect(subscribed.expected == 2 && subscribed.lost == 1)
        let late = try Recount(
            subscriber: "reader", database: database,
            expectations: [expectation(ledger, topics: #"metrics\..*"#, since: start + 1)])
        #expect(late.expected == 1 && late.lost == 0 && late.unexpected == 0)
    }

    @Test func `a line that a kill has torn was not published`() throws {
        let ledger = try PublishedLedger(
            parsing: Data("\(start)\tmetrics.cpu\tcpu-0\t2\t0\n\(start)\tmetr".utf8), path: "x")
        #expect(ledger.records.map(\.samples) == [2])
    }

    @Test func `a line that is none is named`() {
        let error = #expect(throws: LedgerError.self) {
            try PublishedLedger(parsing: Data("1\ta\tb\t2\t0\nhello\n".utf8), path: "cpu.ledger")
        }
        #expect(error?.description == "cpu.ledger:2: this is no line of a ledger: hello")
    }
}
