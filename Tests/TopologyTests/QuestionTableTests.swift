import Testing

@testable import Topology

@Suite("Tables: the best and the worst marked")
struct QuestionTableTests {
    private func table(_ preference: QuestionTable.Preference, _ cells: [QuestionTable.Cell]) -> [QuestionTable.Mark?] {
        var table = QuestionTable("t", "Which?", [.init("value", preference)])
        for (index, cell) in cells.enumerated() { table.append("\(index)", [cell]) }
        table.markBestAndWorst()
        return table.rows.map { $0.cells[0].mark }
    }

    @Test func `by what is preferred`() {
        #expect(table(.lower, [.count(3), .count(1), .count(2)]) == [.worst, .best, nil])
        #expect(table(.higher, [.count(3), .count(1), .count(2)]) == [.best, .worst, nil])
        #expect(table(.none, [.count(3), .count(1)]) == [nil, nil])
    }

    @Test func `numbers that look the same are the same`() {
        #expect(table(.lower, [.number(1.001), .number(1.002), .number(5)]) == [.best, .best, .worst])
        #expect(table(.lower, [.number(1.001), .number(1.002)]) == [nil, nil])
    }

    @Test func `what was not measured takes no part, what never happened is the worst`() {
        #expect(table(.lower, [.none, .count(1), .count(2)]) == [nil, .best, .worst])
        #expect(table(.lower, [.seconds(nil), .seconds(1), .seconds(2)]) == [.worst, .best, nil])
        #expect(table(.lower, [.none, .none]) == [nil, nil])
    }

    @Test func `in a terminal with its marks, in CSV as measured`() {
        var table = QuestionTable("t", "Which?", [.init("a, or b", .lower), .init("c")])
        table.append("one", [.number(1234.5), .none])
        table.append("two", [.number(0.25), .text("yes")])
        table.meaning = "It means this."
        table.markBestAndWorst()
        let text = table.text(isColored: false)
        #expect(text.contains("▼ 1\u{202F}235") && text.contains("▲ 0.250"))
        #expect(text.hasPrefix("Which?\n") && text.hasSuffix("It means this."))
        #expect(table.csv == "stage,\"a, or b\",c\none,1234.5,\ntwo,0.25,yes\n")
        #expect(table.text(isColored: true).contains("\u{1B}[32m▲ 0.250\u{1B}[0m"))
    }

    @Test(arguments: [
        (0, "0"), (0.0421, "0.042"), (1, "1.00"), (9.96, "10.0"), (42.25, "42.3"), (99.6, "100"),
        (1_234_567.0, "1\u{202F}234\u{202F}567"), (-3.5, "−3.50"),
    ])
    func `numbers have the digits that tell them apart`(value: Double, text: String) {
        #expect(FigureText.number(value) == text)
    }
}
