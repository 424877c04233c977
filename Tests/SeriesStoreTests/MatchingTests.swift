import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct MatchingTests {
    private func filled() throws -> (StoreFixture, [Labels]) {
        let store = try StoreFixture()
        var all: [Labels] = []
        for metric in ["up", "node_cpu_seconds_total", "node_load1"] {
            for host in ["a", "b", "ä \"quoted\" \\ name\n"] {
                all.append(["__name__": metric, "instance": host])
                for cpu in 0..<3 {
                    all.append([
                        "__name__": metric, "instance": host, "cpu": "\(cpu)", "mode": cpu == 0 ? "idle" : "user",
                    ])
                }
            }
        }
        let writer = try store.writer()
        var head = Head()
        for (number, labels) in all.enumerated() {
            head.define(SeriesReference(number), labels: labels)
            head.append(SeriesReference(number), timestamp: .at(0), value: 1)
        }
        _ = try writer.commit(head)
        try writer.close()
        return (store, all.sorted())
    }

    @Test func `every combination of conditions finds what the conditions say of each series`() throws {
        var random = SeededGenerator()
        let (store, all) = try filled()
        let reader = try store.reader()
        let names = ["__name__", "instance", "cpu", "mode", "absent"]
        let values = ["", "up", "node_.*", "a", "b|a", ".*", ".+", "0", "[01]", "idle", "idle|", "nothing", "ä.*\n"]
        #expect(try reader.series(matching: []).map(\.labels) == all)
        for _ in 0..<400 {
            let matchers = try (0..<Int.random(in: 1...3, using: &random)).map { _ in
                try LabelMatcher(
                    names.randomElement(using: &random) ?? "",
                    LabelMatcher.Operation.allCases.randomElement(using: &random) ?? .equal,
                    values.randomElement(using: &random) ?? "")
            }
            let expected = all.filter { labels in matchers.allSatisfy { $0.matches(labels) } }
            let found = try reader.series(matching: matchers).map(\.labels)
            #expect(found == expected, "\(matchers)")
        }
    }

    @Test func `labels survive whatever characters they hold`() throws {
        let store = try StoreFixture()
        let labels: Labels = [
            "__name__": "weird", "instance": "tab\t quote\" backslash\\ newline\n end", "empty-ish": " ",
            "composed": "e\u{301}", "emoji": "🌊",
        ]
        let writer = try store.writer()
        var head = Head()
        head.define(SeriesReference(0), labels: labels)
        head.append(SeriesReference(0), timestamp: .at(0), value: 1)
        _ = try writer.commit(head)
        let reader = try store.reader()
        #expect(try reader.series(matching: []).map(\.labels) == [labels])
        #expect(try reader.series(matching: [LabelMatcher("composed", equals: "e\u{301}")]).count == 1)
        #expect(try reader.series(matching: [LabelMatcher("composed", equals: "\u{e9}")]).isEmpty)
        try writer.close()
    }
}
