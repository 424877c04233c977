import Aggregation
import MetricModel
import TestKit
import Testing

/// The whole of `stream`, without I/O: samples arrive, are stored, windows close and are emitted.
private struct StreamSimulation {
    let rule: AggregationRule
    var ledger: WindowLedger
    var groups: RuleGroups
    var stored: [Labels: [Sample]] = [:]
    /// The newest revision of each window that was emitted.
    var emitted: [Window: (revision: Int, lines: [String])] = [:]
    var emissions = 0

    init(_ rule: AggregationRule) {
        self.rule = rule
        ledger = rule.ledger()
        groups = RuleGroups(of: rule)
    }

    mutating func arrive(_ sample: Sample, of labels: Labels) {
        var samples = stored[labels] ?? []
        let place = samples.firstIndex { $0.timestamp >= sample.timestamp } ?? samples.endIndex
        if place < samples.endIndex, samples[place].timestamp == sample.timestamp { return }
        samples.insert(sample, at: place)
        stored[labels] = samples
        ledger.observe(sample.timestamp)
    }

    mutating func advance(to eventTime: Timestamp) {
        for due in ledger.advance(to: eventTime) {
            let members = stored.map { ($0.value, groups.group(of: $0.key)) }
            var evaluation = RuleEvaluation(of: groups, in: due.window)
            for case (let samples, .some(let group)) in members { evaluation.add(samples[...], to: group) }
            let result = evaluation.result()
            guard let revision = ledger.evaluated(due, digest: result.digest) else { continue }
            #expect(revision == (emitted[due.window]?.revision ?? 0) + 1, "revisions count up by one")
            emitted[due.window] = (revision, result.lines)
            emissions += 1
        }
    }
}

@Suite("Late samples: closed windows equal the raw samples, whatever order they came in")
struct LateSamplesTests {
    @Test("the last revision of every window is what a single pass over all samples gives")
    func windowsEqualSamples() throws {
        var random = SeededGenerator()
        for _ in 0..<25 {
            let every = [60, 20].randomElement(using: &random) ?? 60
            let rule = try AggregationRule.of(
                "m", every: .seconds(every), grouping: .by(["zone"]),
                outputs: [.increase, .rateSum, .sumSamples, .max, .last, .countSeries, .quantiles([0.5, 0.9])],
                lateness: .seconds(Int.random(in: 0...20, using: &random)), staleness: .seconds(90))
            let series = (0..<6).map { index in
                SampleSeries.counter(
                    ["__name__": "m", "zone": "\(index % 2)", "id": "\(index)"], seconds: 900,
                    every: Int.random(in: 5...40, using: &random), &random)
            }
            // Most samples come nearly in order, some minutes late, and some twice.
            var arrivals = series.flatMap { one in
                one.samples.map { sample in
                    let delay = Int.random(in: 0..<10, using: &random) == 0 ? 600_000 : 15_000
                    let at = sample.timestamp.milliseconds + Int64.random(in: 0...Int64(delay), using: &random)
                    return (at: at, sample: sample, labels: one.labels)
                }
            }
            arrivals += arrivals.shuffled(using: &random).prefix(20)
            arrivals.sort { $0.at < $1.at }
            var stream = StreamSimulation(rule)
            for (index, arrival) in arrivals.enumerated() {
                stream.arrive(arrival.sample, of: arrival.labels)
                if index % 7 == 0 { stream.advance(to: Timestamp(milliseconds: arrival.at - 10_000)) }
            }
            stream.advance(to: Timestamp(milliseconds: 10_000_000))
            var windows: Set<Window> = []
            for sample in series.flatMap(\.samples) {
                windows.formUnion(rule.windows.windows(containing: sample.timestamp))
            }
            #expect(Set(stream.emitted.keys) == windows)
            for window in windows { #expect(stream.emitted[window]?.lines == rule.evaluate(window, series).lines) }
            #expect(stream.emissions > windows.count, "nothing was late: the test tests nothing")
        }
    }

    @Test("samples that come in order within the lateness are emitted once")
    func onTime() throws {
        var random = SeededGenerator()
        let rule = try AggregationRule.of("m", outputs: [.increase, .average], lateness: .seconds(10))
        let series = SampleSeries.counter(["__name__": "m"], seconds: 600, every: 5, &random)
        var stream = StreamSimulation(rule)
        for sample in series.samples {
            stream.arrive(sample, of: series.labels)
            stream.advance(to: sample.timestamp)
        }
        #expect(stream.emitted.count == 9)
        #expect(stream.emissions == 9)
    }
}
