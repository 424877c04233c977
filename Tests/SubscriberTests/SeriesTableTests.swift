import SeriesStore
import TestKit
import Testing

@testable import Subscriber

@Suite struct SeriesTableTests {
    private func find(_ series: String, in table: inout SeriesTable) -> SeriesReference? {
        var series = series
        return series.withUTF8 { table.find(UnsafeRawBufferPointer($0)) }
    }

    private func insert(_ series: String, _ number: Int, in table: inout SeriesTable) {
        var series = series
        series.withUTF8 { table.insert(UnsafeRawBufferPointer($0), SeriesReference(rawValue: UInt32(number))) }
    }

    @Test func `finds what was inserted, in any order, and nothing else`() {
        var random = SeededGenerator()
        var table = SeriesTable(seed: random.next())
        let names = (0..<20_000).map {
            #"metric_\#($0 % 7){host="\#($0)",pad="\#(String(repeating: "x", count: $0 % 40))"}"#
        }
        for (number, name) in names.enumerated() {
            #expect(find(name, in: &table) == nil)
            insert(name, number, in: &table)
        }
        #expect(table.count == names.count)
        for (number, name) in names.enumerated() {
            #expect(find(name, in: &table)?.rawValue == UInt32(number))
        }
        for number in names.indices.shuffled(using: &random) {
            #expect(find(names[number], in: &table)?.rawValue == UInt32(number))
            #expect(find(names[number] + " ", in: &table) == nil)
        }
        #expect(find("", in: &table) == nil)
    }

    @Test func `a series longer than a block of the table has its place`() {
        var table = SeriesTable()
        let long = String(repeating: "y", count: 1_000_000)
        insert("short", 1, in: &table)
        insert(long, 2, in: &table)
        insert("other", 3, in: &table)
        #expect(find(long, in: &table)?.rawValue == 2)
        #expect(find("short", in: &table)?.rawValue == 1)
        #expect(find("other", in: &table)?.rawValue == 3)
    }
}
