import Aggregation
import Glibc
import TestKit
import Testing

@Suite("DDSketch: quantiles with a bounded relative error")
struct DDSketchTests {
    private static let quantiles = [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1]

    /// The value that the sketch promises to be near: of rank ⌊q (n − 1)⌋.
    private func exact(_ q: Double, of sorted: [Double]) -> Double {
        sorted[Int((q * Double(sorted.count - 1)).rounded(.down))]
    }

    private func sketch(_ values: some Sequence<Double>, _ accuracy: Double = DDSketch.defaultAccuracy) -> DDSketch {
        // A tenth of the error takes ten times the buckets.
        let buckets = accuracy < DDSketch.defaultAccuracy ? 20_480 : DDSketch.defaultMaximumBuckets
        var sketch = DDSketch(relativeAccuracy: accuracy, maximumBuckets: buckets)
        for value in values { sketch.add(value) }
        return sketch
    }

    /// Distributions with short and long tails, both signs, few different values.
    private func distributions(_ random: inout SeededGenerator) -> [(String, [Double])] {
        func values(_ make: (inout SeededGenerator) -> Double) -> [Double] { (0..<5000).map { _ in make(&random) } }
        func normal(_ random: inout SeededGenerator) -> Double {
            let u = Double.random(in: Double.leastNonzeroMagnitude...1, using: &random)
            return (-2 * log(u)).squareRoot() * cos(2 * .pi * Double.random(in: 0..<1, using: &random))
        }
        return [
            ("uniform", values { Double.random(in: 0..<1, using: &$0) }),
            ("normal around zero", values { normal(&$0) }),
            ("log-normal", values { exp(3 * normal(&$0)) }),
            ("exponential", values { -log(Double.random(in: Double.leastNonzeroMagnitude...1, using: &$0)) }),
            ("Pareto, α 1", values { 1 / Double.random(in: Double.leastNonzeroMagnitude...1, using: &$0) }),
            ("bytes", values { Double(Int64.random(in: 0...1 << 45, using: &$0)) }),
            ("few values", values { Double(Int.random(in: -3...3, using: &$0)) }),
            ("one value", Array(repeating: 0.1, count: 100)),
            ("negative", values { -exp(normal(&$0)) }),
        ]
    }

    @Test("the error is within the stated one on every distribution", arguments: [0.001, 0.01, 0.05])
    func error(_ accuracy: Double) throws {
        var random = SeededGenerator()
        for (name, values) in distributions(&random) {
            let sketch = sketch(values, accuracy)
            let sorted = values.sorted()
            #expect(sketch.count == UInt64(values.count))
            #expect(!sketch.hasCollapsed)
            for q in Self.quantiles {
                let exact = exact(q, of: sorted)
                let estimate = try #require(sketch.quantile(q))
                // One part in 10^12 for the rounding of logarithms.
                #expect(
                    abs(estimate - exact) <= accuracy * abs(exact) * (1 + 1e-12),
                    "\(name), q \(q): \(estimate) for \(exact)")
            }
        }
    }

    @Test("the smallest and the largest value are exact")
    func extremes() {
        let sketch = sketch([3.7, -1e9, 12.25, 0])
        #expect(sketch.quantile(0) == -1e9)
        #expect(sketch.quantile(1) == 12.25)
    }

    @Test("parts merged in any order give the sketch of all values in order, byte by byte")
    func merging() {
        var random = SeededGenerator()
        for (name, values) in distributions(&random) {
            let whole = sketch(values)
            var parts: [DDSketch] = []
            var rest = values.shuffled(using: &random)[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(rest.count, 2000), using: &random)
                parts.append(sketch(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            var merged = DDSketch()
            for part in parts.shuffled(using: &random) { merged.merge(part) }
            #expect(merged == whole, "\(name)")
            #expect(merged.bytes == whole.bytes, "\(name)")
        }
    }

    @Test("memory is bounded: the smallest magnitudes collapse, the largest keep their guarantee, order is no matter")
    func collapsing() throws {
        var random = SeededGenerator()
        let values = (0..<4000).map { _ in exp(Double.random(in: -600...600, using: &random)) }
        func bounded(_ values: [Double]) -> DDSketch {
            var sketch = DDSketch(maximumBuckets: 256)
            for value in values { sketch.add(value) }
            return sketch
        }
        let whole = bounded(values)
        #expect(whole.hasCollapsed)
        #expect(whole.bytes.count < 2048)
        for _ in 0..<5 { #expect(bounded(values.shuffled(using: &random)).bytes == whole.bytes) }
        var merged = bounded(Array(values[..<1000]))
        merged.merge(bounded(Array(values[1000...])))
        #expect(merged.bytes == whole.bytes)
        // 256 buckets of 2 % each span a factor of e^5.1 below the largest value.
        let sorted = values.sorted()
        let floor = sorted[sorted.count - 1] * exp(-5)
        for q in [0.999, 0.9995, 1] where exact(q, of: sorted) > floor {
            let estimate = try #require(whole.quantile(q))
            #expect(abs(estimate - exact(q, of: sorted)) <= 0.0101 * exact(q, of: sorted))
        }
    }

    @Test("zero, infinities, NaN and the smallest and largest numbers have a place")
    func special() {
        #expect(DDSketch().quantile(0.5) == nil)
        #expect(sketch([.nan]).quantile(0.5)?.isNaN == true)
        let values = sketch([.nan, -.infinity, -5, 0, -0.0, 5, .infinity])
        #expect(values.count == 6)
        #expect(values.nanCount == 1)
        #expect(values.quantile(0) == -.infinity)
        #expect(values.quantile(0.5) == 0)
        #expect(values.quantile(1) == .infinity)
        #expect(values.quantile(0.8).map { abs($0 - 5) <= 0.05 } == true)
        #expect(sketch([.leastNonzeroMagnitude, 1e-305]).quantile(0.5) == .leastNonzeroMagnitude)
        let largest = Double.greatestFiniteMagnitude
        #expect(sketch([largest, largest, largest]).quantile(0.5) == largest)
        #expect(sketch([0, -0.0]).bytes == sketch([-0.0, 0]).bytes)
    }

    @Test("a sketch comes back from its bytes")
    func bytes() throws {
        var random = SeededGenerator()
        for (_, values) in distributions(&random) {
            let sketch = sketch(values + [.nan, .infinity, -.infinity, 0])
            #expect(try DDSketch(bytes: sketch.bytes) == sketch)
        }
        #expect(try DDSketch(bytes: DDSketch().bytes) == DDSketch())
    }

    @Test("bytes that are no sketch are refused, whatever they are")
    func damage() {
        var random = SeededGenerator()
        let bytes = sketch((0..<500).map { _ in Double.random(in: -1000...1000, using: &random) }).bytes
        for length in 0..<bytes.count { #expect(throws: SketchError.self) { try DDSketch(bytes: bytes[..<length]) } }
        #expect(throws: SketchError.self) { try DDSketch(bytes: bytes + [0]) }
        #expect(throws: SketchError.version(9)) { try DDSketch(bytes: [9]) }
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(in: 0 ... .max, using: &random)
            }
            // Damage that leaves a sketch leaves one that works.
            if let sketch = try? DDSketch(bytes: damaged) { _ = sketch.quantile(0.5) }
        }
    }
}
