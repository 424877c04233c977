import SeriesStore
import Testing

@testable import Subscriber

@Suite struct SourceTableTests {
    private func number(_ key: String?, in table: inout SourceTable) -> SourceTable.Number {
        guard var key else { return table.number(of: nil) }
        return key.withUTF8 { table.number(of: UnsafeRawBufferPointer($0)) }
    }

    @Test func `a source keeps its number, and records without a key have one together`() {
        var table = SourceTable()
        let alpha = number("alpha", in: &table)
        let beta = number("beta", in: &table)
        let none = number(nil, in: &table)
        #expect(Set([alpha, beta, none]).count == 3)
        #expect(number("alpha", in: &table) == alpha)
        #expect(number("", in: &table) == none)
        #expect(table.names[alpha] == "alpha" && table.names[none] == SourceTable.unnamed)
        #expect(
            number(String(repeating: "x", count: 10_000), in: &table)
                == number(String(repeating: "x", count: 300), in: &table))
        #expect(table.names.allSatisfy { $0.utf8.count <= 256 })
    }

    @Test func `sources beyond the limit are one, of which nothing is late`() {
        var table = SourceTable()
        for index in 0..<SourceTable.maximumSources { #expect(number("host-\(index)", in: &table) == index + 1) }
        let late = number("one-more", in: &table)
        #expect(table.names[late] == SourceTable.others)
        #expect(number("another", in: &table) == late)
        table.advance(late, to: 1_700_000_000_000)
        #expect(table.newestMinute(of: late) == .min)
        #expect(number("host-7", in: &table) == 8, "who was known stays known")
    }

    @Test func `the newest minute only moves on`() {
        var table = SourceTable()
        let source = number("alpha", in: &table)
        #expect(table.newestMinute(of: source) == .min)
        table.advance(source, to: .min)
        #expect(table.newestMinute(of: source) == .min, "a record without samples")
        for (time, minute) in [(-1, -60_000), (0, 0), (59_999, 0), (60_000, 60_000), (5, 60_000)] as [(Int64, Int64)] {
            table.advance(source, to: time)
            #expect(table.newestMinute(of: source) == minute)
        }
    }

    @Test func `a series is its first source's`() {
        var table = SourceTable()
        let (alpha, beta) = (number("alpha", in: &table), number("beta", in: &table))
        table.own(SeriesReference(rawValue: 0), alpha)
        table.own(SeriesReference(rawValue: 3), beta)
        #expect(table.name(ofOwnerOf: SeriesReference(rawValue: 0)) == "alpha")
        #expect(table.name(ofOwnerOf: SeriesReference(rawValue: 3)) == "beta")
        #expect(table.name(ofOwnerOf: SeriesReference(rawValue: 2)) == SourceTable.others)
        #expect(table.name(ofOwnerOf: SeriesReference(rawValue: 9)) == SourceTable.others)
    }
}
