import Aggregation
import MetricModel

/// The samples that one host publishes, made up as they are asked for: several series a topic, some samples late by any time,
/// and out of order within a record. It knows every one of them.
///
/// A sample that is stored twice at its own time shows nowhere: the second one is dropped. So every few records have a line
/// without a time too, of a series that has this one sample. Its time is when it was decoded, and if it was counted twice
/// there are two.
struct ChaosLedger {
    /// The samples by series and time.
    private(set) var samples: [String: [Int64: Double]] = [:]
    /// Series that have one sample each, at any time.
    private(set) var single: Set<String> = []
    private let instance: String
    /// Where each series has come to in time, and what it has left out so far.
    private var clocks: [String: (next: Int64, late: [Int64])] = [:]

    private static let seriesPerTopic = 4
    private let linesPerRecord: ClosedRange<Int>

    /// - Parameter start: the earliest timestamp.
    init(instance: String, topics: [String], start: Int64, linesPerRecord: ClosedRange<Int> = 1...12) {
        self.instance = instance
        self.linesPerRecord = linesPerRecord
        for topic in topics {
            for number in 0..<Self.seriesPerTopic { clocks[series(topic, number)] = (start, []) }
        }
    }

    var sampleCount: Int { samples.values.reduce(single.count) { $0 + $1.count } }

    private func series(_ topic: String, _ number: Int) -> String {
        let name = topic.map { $0 == "." ? "_" : String($0) }.joined()
        return #"\#(name){instance="\#(instance)",n="\#(number)"}"#
    }

    /// A record's text: a line for each of some samples of one topic.
    mutating func record(for topic: String, using random: inout SeededRandom) -> String {
        var lines: [String] = []
        for _ in 0..<Int.random(in: linesPerRecord, using: &random) {
            let series = series(topic, Int.random(in: 0..<Self.seriesPerTopic, using: &random))
            let timestamp = timestamp(of: series, using: &random)
            let value = Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 100
            samples[series, default: [:]][timestamp] = value
            lines.append("\(series) \(value) \(timestamp)")
        }
        if Int.random(in: 0..<3, using: &random) == 0 {
            let series = #"chaos_single{instance="\#(instance)",n="\#(single.count)"}"#
            single.insert(series)
            lines.append("\(series) 1")
        }
        return lines.shuffled(using: &random).joined(separator: "\n") + "\n"
    }

    /// Each time once for each series: mostly the next one, now and then one that was left out long ago.
    private mutating func timestamp(of series: String, using random: inout SeededRandom) -> Int64 {
        var clock = clocks[series] ?? (0, [])
        defer { clocks[series] = clock }
        if !clock.late.isEmpty, Int.random(in: 0..<6, using: &random) == 0 {
            return clock.late.remove(at: Int.random(in: clock.late.indices, using: &random))
        }
        while Int.random(in: 0..<5, using: &random) == 0 {
            clock.late.append(clock.next)
            clock.next += Int64.random(in: 200...9_000, using: &random)
        }
        defer { clock.next += Int64.random(in: 200...9_000, using: &random) }
        return clock.next
    }

    /// What the windows have to be, series by series, by their starts.
    func windows(_ resolution: Resolution) -> [String: [Int64: WindowAggregate]] {
        samples.mapValues { samples in
            var windows: [Int64: WindowAggregate] = [:]
            for (timestamp, value) in samples.sorted(by: { $0.key < $1.key }) {
                let sample = Sample(timestamp: Timestamp(milliseconds: timestamp), value: value)
                let start = resolution.windowStart(of: sample.timestamp).milliseconds
                if windows[start]?.add(sample) == nil { windows[start] = WindowAggregate(sample) }
            }
            return windows
        }
    }
}
