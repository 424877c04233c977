import Aggregation
import TestKit
import Testing

@Suite("Distinct counts: exact while few, an estimate with a stated error beyond")
struct DistinctCountTests {
    private func count(_ values: [Double]) -> DistinctCount {
        var count = DistinctCount()
        count.add(values)
        return count
    }

    @Test("up to 512 different values the count is exact, however often they come")
    func exact() {
        var random = SeededGenerator()
        for different in [0, 1, 2, 15, 16, 17, 511, 512] {
            let values = (0..<different).map { Double($0) / 8 - 20 }
            let repeated = (values + values + values).shuffled(using: &random)
            #expect(count(repeated).value == Double(different))
            #expect(count(repeated).isExact)
        }
        #expect(!count((0...512).map(Double.init)).isExact)
    }

    @Test("both zeros are one value, and so are all NaNs")
    func equality() {
        #expect(count([0, -0.0, .nan, -.nan, .signalingNaN, .infinity, -.infinity]).value == 4)
    }

    @Test("the estimate's error is the stated one")
    func error() {
        // 40 counts of each size: the mean square of the error is within a few per cent of the stated one, and no single
        // one is beyond five times it. The values are fixed, so this never fails by chance.
        for different in [513, 2000, 20_000, 100_000] {
            var squares = 0.0
            for trial in 0..<40 {
                let values = (0..<different).map { Double(trial * 1_000_003 + $0) * 0.37 }
                let error = count(values).value / Double(different) - 1
                #expect(abs(error) < 5 * DistinctCount.standardError)
                squares += error * error
            }
            #expect((squares / 40).squareRoot() < 1.4 * DistinctCount.standardError, "\(different) values")
        }
    }

    @Test("parts merged in any order give the count of all values")
    func merging() throws {
        var random = SeededGenerator()
        for size in [10, 400, 600, 5000] {
            let values = (0..<size).map { _ in Double.random(in: -1...1, using: &random) }
            let whole = count(values)
            for _ in 0..<5 {
                var merged = DistinctCount()
                var rest = values.shuffled(using: &random)[...]
                while !rest.isEmpty {
                    let part = Array(rest.prefix(Int.random(in: 1...rest.count, using: &random)))
                    merged.merge(count(part))
                    rest = rest.dropFirst(part.count)
                }
                #expect(merged.bytes == whole.bytes)
                #expect(merged.value == whole.value)
            }
            #expect(try DistinctCount(bytes: whole.bytes).bytes == whole.bytes)
        }
    }

    @Test("bytes that are no count are refused")
    func damage() {
        for bytes in [count([1, 2, 3]).bytes, count((0..<600).map(Double.init)).bytes] {
            for length in stride(from: 0, to: bytes.count, by: 7) {
                #expect(throws: SketchError.self) { try DistinctCount(bytes: bytes[..<length]) }
            }
            #expect(throws: SketchError.self) { try DistinctCount(bytes: bytes + [1]) }
        }
        #expect(throws: SketchError.self) { try DistinctCount(bytes: [1, 0, 0xff, 0xff, 0x7f]) }
        #expect(throws: SketchError.self) { try DistinctCount(bytes: [1, 1] + [UInt8](repeating: 54, count: 4096)) }
        #expect(throws: SketchError.self) { try DistinctCount(bytes: [1, 2]) }
    }
}
