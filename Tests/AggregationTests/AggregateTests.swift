import Aggregation
import MetricModel
import TestKit
import Testing

@Suite("Aggregates: each is what its definition says, computed from the raw samples")
struct AggregateTests {
    private let window = Window(seconds: 60..<120)

    private func value(_ output: RuleOutput, _ series: SampleSeries...) throws -> Double? {
        let rule = try AggregationRule.of("m", grouping: .by([]), outputs: [output])
        return rule.evaluate(window, series).onlyValue
    }

    private func series(_ name: String, _ samples: (Double, Double)...) -> SampleSeries {
        SampleSeries(["__name__": "m", "id": name], samples.map { (seconds: $0.0, value: $0.1) })
    }

    @Test("every output equals its definition over random groups")
    func definitions() throws {
        var random = SeededGenerator()
        for _ in 0..<100 {
            let all = (0..<Int.random(in: 1...6, using: &random)).map { index in
                SampleSeries(
                    ["__name__": "m", "id": "\(index)"],
                    stride(from: 1.5, to: 180, by: Double.random(in: 3...20, using: &random)).map {
                        ($0, Double(Int.random(in: -4000...4000, using: &random)) / 16)
                    })
            }
            let inside = all.map { $0.samples.filter { window.contains($0.timestamp) } }.filter { !$0.isEmpty }
            let values = inside.flatMap { $0.map(\.value) }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
            let byTime = inside.joined().sorted { ($0.timestamp, $0.value) < ($1.timestamp, $1.value) }
            let earliest = byTime.filter { $0.timestamp == byTime[0].timestamp }
            let expected: [(RuleOutput, Double)] = [
                (.countSamples, Double(values.count)), (.countSeries, Double(inside.count)),
                (.sumSamples, values.reduce(0, +)), (.sumLast, inside.map { $0[$0.count - 1].value }.reduce(0, +)),
                (.min, values.min() ?? .nan), (.max, values.max() ?? .nan), (.average, mean),
                (.first, earliest.map(\.value).max() ?? .nan), (.last, byTime[byTime.count - 1].value),
                (.standardVariance, variance), (.standardDeviation, variance.squareRoot()),
                (.uniqueSamples, Double(Set(values).count)),
            ]
            for (output, expected) in expected {
                let rule = try AggregationRule.of("m", grouping: .by([]), outputs: [output])
                let value = try #require(rule.evaluate(window, all).onlyValue)
                #expect(abs(value - expected) <= 1e-9 * max(1, abs(expected)), "\(output)")
            }
        }
    }

    @Test("increase counts from the last sample before the window to the last in it, resets seen")
    func increase() throws {
        // 100 → 110 → 130, then a reset: 130 is kept, and 7 counted anew.
        let counter = series("a", (55, 100), (65, 110), (75, 130), (85, 4), (95, 7), (125, 50))
        #expect(try value(.increase, counter) == 37)
        #expect(try value(.resets, counter) == 1)
        #expect(try value(.rateSum, counter) == 37.0 / 40)
        // Across the window's start, too.
        #expect(try value(.increase, series("a", (55, 100), (65, 4))) == 4)
    }

    @Test("without a sample before the window a counter counts from its first; one sample alone says nothing")
    func newCounter() throws {
        #expect(try value(.increase, series("a", (65, 1000), (75, 1003))) == 3)
        #expect(try value(.increase, series("a", (65, 1000))) == nil)
        #expect(try value(.rateSum, series("a", (65, 1000))) == nil)
        #expect(try value(.resets, series("a", (65, 1000))) == nil)
        #expect(try value(.increase, series("a", (65, 1000)), series("b", (50, 1), (70, 3))) == 2)
    }

    @Test("a sample before the window that is older than the staleness interval is not measured from")
    func staleness() throws {
        let samples = series("a", (65, 10), (75, 11))
        let old = SampleSeries(samples.labels, [(0, 1), (65, 10), (75, 11)])
        let rule = try AggregationRule.of("m", outputs: [.increase], staleness: .seconds(60))
        #expect(rule.evaluate(window, [old]).onlyValue == 10)
        #expect(rule.evaluate(Window(seconds: 61..<121), [old]).onlyValue == 1)
    }

    @Test("the increases of consecutive windows add up to what a counter counted in all")
    func additivity() throws {
        var random = SeededGenerator()
        let rule = try AggregationRule.of("m", interval: .seconds(30), outputs: [.increase])
        for _ in 0..<50 {
            let counter = SampleSeries.counter(["__name__": "m"], seconds: 600, every: 7, &random)
            var expected = 0.0
            for (one, next) in zip(counter.samples, counter.samples.dropFirst()) {
                expected += next.value < one.value ? next.value : next.value - one.value
            }
            let sum = (0..<20).reduce(0.0) { sum, index in
                sum + (rule.evaluate(Window(seconds: index * 30..<index * 30 + 30), [counter]).onlyValue ?? 0)
            }
            #expect(sum == expected)
        }
    }

    @Test("rates are measured over the time between samples; a group's are summed or averaged")
    func rates() throws {
        let one = series("a", (50, 0), (110, 120))
        let other = series("b", (70, 5), (80, 15))
        #expect(try value(.rateSum, one, other) == 3)
        #expect(try value(.rateAverage, one, other) == 1.5)
        // A gap of two minutes before the window is no burst in it.
        #expect(try value(.rateSum, series("a", (0, 0), (100, 200))) == 2)
    }

    @Test("NaN is counted, makes sums NaN, and is passed over by min, max, quantiles and counters")
    func notANumber() throws {
        let mixed = series("a", (50, 1), (61, .nan), (70, 3), (80, .nan), (90, 5))
        #expect(try value(.countSamples, mixed) == 4)
        #expect(try value(.sumSamples, mixed)?.isNaN == true)
        #expect(try value(.average, mixed)?.isNaN == true)
        #expect(try value(.standardDeviation, mixed)?.isNaN == true)
        #expect(try value(.min, mixed) == 3)
        #expect(try value(.max, mixed) == 5)
        #expect(try value(.quantiles([1]), mixed) == 5)
        #expect(try value(.increase, mixed) == 4)
        #expect(try value(.uniqueSamples, mixed) == 3)
        #expect(try value(.first, mixed)?.isNaN == true)
        #expect(try value(.last, mixed) == 5)
        #expect(try value(.max, series("a", (61, .nan)))?.isNaN == true)
        #expect(try value(.min, series("a", (61, .nan)), series("b", (70, -2))) == -2)
    }

    @Test("infinities behave as in plain arithmetic, and are no readings of a counter")
    func infinities() throws {
        let mixed = series("a", (50, 1), (61, .infinity), (70, 3), (90, 5))
        #expect(try value(.sumSamples, mixed) == .infinity)
        #expect(try value(.max, mixed) == .infinity)
        #expect(try value(.min, mixed) == 3)
        #expect(try value(.increase, mixed) == 4)
        #expect(try value(.standardDeviation, mixed)?.isNaN == true)
        #expect(try value(.sumSamples, mixed, series("b", (70, -.infinity)))?.isNaN == true)
        #expect(try value(.standardVariance, series("a", (61, 1e200), (62, -1e200))) == .infinity)
    }

    @Test("staleness markers are in no aggregate")
    func stalenessMarkers() throws {
        let marked = series("a", (50, 10), (55, .stalenessMarker), (65, 12), (75, .stalenessMarker), (85, 13))
        #expect(try value(.countSamples, marked) == 2)
        #expect(try value(.sumSamples, marked) == 25)
        #expect(try value(.increase, marked) == 3)
        #expect(try value(.last, series("a", (65, 12), (75, .stalenessMarker))) == 12)
        #expect(try value(.countSeries, series("a", (65, .stalenessMarker))) == nil)
    }

    @Test("a deviation that is tiny beside the values is not lost in rounding")
    func cancellation() throws {
        var steps: [(seconds: Double, value: Double)] = []
        var constant: [(seconds: Double, value: Double)] = []
        for index in 0..<50 {
            let second = 60 + Double(index)
            let step: Double = index % 2 == 0 ? 0 : 1.0 / 64
            steps.append((second, 1e12 + step))
            constant.append((second, 0.1))
        }
        let labels: Labels = ["__name__": "m"]
        #expect(try value(.standardDeviation, SampleSeries(labels, steps)) == 1.0 / 128)
        #expect(try value(.standardDeviation, SampleSeries(labels, constant)) == 0)
    }
}
