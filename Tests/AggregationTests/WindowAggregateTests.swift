import Aggregation
import MetricModel
import TestKit
import Testing

@Suite struct WindowAggregateTests {
    private func sample(_ milliseconds: Int64, _ value: Double) -> Sample {
        Sample(timestamp: Timestamp(milliseconds: milliseconds), value: value)
    }

    private func aggregate(_ samples: [Sample]) -> WindowAggregate {
        var aggregate = WindowAggregate(samples[0])
        for sample in samples.dropFirst() { aggregate.add(sample) }
        return aggregate
    }

    @Test func `keeps count, sum, smallest, largest, first and last`() {
        let aggregate = aggregate([sample(20, 5), sample(10, -1), sample(40, 2), sample(30, 9)])
        #expect(aggregate.count == 4)
        #expect(aggregate.sum.value == 15)
        #expect(aggregate.mean == 3.75)
        #expect(aggregate.min == -1)
        #expect(aggregate.max == 9)
        #expect(aggregate.first == sample(10, -1))
        #expect(aggregate.last == sample(40, 2))
    }

    @Test func `parts merged in any order give what all samples in order give`() {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let samples = (0..<Int.random(in: 1...60, using: &random)).map { index in
                sample(Int64(index) * 1000, Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 8)
            }
            var parts: [[Sample]] = []
            var rest = samples.shuffled(using: &random)[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...rest.count, using: &random)
                parts.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            var merged = aggregate(parts[0])
            for part in parts.dropFirst() { merged.merge(aggregate(part)) }
            #expect(merged == aggregate(samples))
        }
    }

    @Test func `a sum of very different values does not depend on the order`() {
        var random = SeededGenerator()
        for _ in 0..<200 {
            let values = (0..<100).map { _ in
                Double.random(in: -1...1, using: &random)
                    * Double(sign: .plus, exponent: Int.random(in: -20...20, using: &random), significand: 1)
            }
            func sum(_ values: [Double]) -> Double {
                var sum = CompensatedSum(values[0])
                for value in values.dropFirst() { sum.add(value) }
                return sum.value
            }
            let inOrder = sum(values)
            for _ in 0..<5 { #expect(sum(values.shuffled(using: &random)) == inOrder) }
            var halves = CompensatedSum(values[0])
            halves.add(values[1])
            var second = CompensatedSum(values[2])
            for value in values.dropFirst(3) { second.add(value) }
            halves.add(second)
            #expect(halves.value == inOrder)
        }
    }

    @Test func `what a plain sum rounds away is kept`() {
        var sum = CompensatedSum(1e16)
        for _ in 0..<1000 { sum.add(1) }
        sum.add(-1e16)
        #expect(sum.value == 1000)
        #expect(sum.remainder == 0)
    }

    @Test func `whole numbers leave no remainder to store`() {
        var sum = CompensatedSum(0)
        for value in 1...1000 { sum.add(Double(value)) }
        #expect(sum == CompensatedSum(value: 500_500, remainder: 0))
    }

    @Test func `NaN is counted, makes the sum NaN, and is passed over by min and max`() {
        let nan = aggregate([sample(1, .nan), sample(2, 3), sample(3, 1)])
        #expect(nan.count == 3)
        #expect(nan.sum.value.isNaN)
        #expect(nan.min == 1)
        #expect(nan.max == 3)
        #expect(nan.first.value.isNaN)
        #expect(nan.last.value == 1)
        #expect(aggregate([sample(1, .nan), sample(2, .nan)]).max.isNaN)
        var merged = aggregate([sample(1, .nan)])
        merged.merge(aggregate([sample(2, 7)]))
        #expect(merged.min == 7 && merged.max == 7)
    }

    @Test func `infinities behave as in a plain sum`() {
        let infinite = aggregate([sample(1, .infinity), sample(2, 3), sample(3, 1e308), sample(4, 1e308)])
        #expect(infinite.sum == CompensatedSum(value: .infinity, remainder: 0))
        #expect(aggregate([sample(1, .infinity), sample(2, -.infinity)]).sum.value.isNaN)
    }

    @Test func `the staleness marker is the NaN that Prometheus uses`() {
        #expect(Double.stalenessMarker.isNaN)
        #expect(Double.stalenessMarker.isStalenessMarker)
        #expect(!Double.nan.isStalenessMarker)
    }
}
