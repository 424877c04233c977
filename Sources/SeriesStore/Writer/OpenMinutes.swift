internal import Aggregation
internal import MetricModel

/// What the windows of the minutes that are not settled will be, as far as this process knows. Everything in it can be made anew
/// from the rows of `sample`.
struct OpenMinutes {
    private var minutes: [Timestamp: [Int64: WindowAggregate]] = [:]
    /// Of minutes before this one others may have stored samples that are not in here.
    private var completeFrom = Timestamp(milliseconds: .max)
    /// A minute that has been read from the rows, and is complete for that reason.
    private var readMinute: Timestamp?
    /// The series of the minute that is being settled, sorted.
    private var order: (minute: Timestamp?, series: [Int64]) = (nil, [])

    /// Forgets everything. What comes from now on is added, so minutes from `minute` on, in which nothing is stored, will be
    /// complete.
    mutating func forget(completeFrom minute: Timestamp) {
        minutes = [:]
        completeFrom = minute
        readMinute = nil
        order = (nil, [])
    }

    mutating func add(_ sample: Sample, of series: Int64) {
        let minute = Resolution.oneMinute.windowStart(of: sample.timestamp)
        Self.add(sample, of: series, to: &minutes[minute, default: [:]])
    }

    private static func add(_ sample: Sample, of series: Int64, to aggregates: inout [Int64: WindowAggregate]) {
        if aggregates[series]?.add(sample) == nil { aggregates[series] = WindowAggregate(sample) }
    }

    /// Whether all samples of a minute are in here.
    func isComplete(_ minute: Timestamp) -> Bool { minute >= completeFrom || minute == readMinute }

    /// Takes a minute's samples as they are stored, in any order.
    mutating func read(_ minute: Timestamp, _ next: () throws -> (series: Int64, sample: Sample)?) rethrows {
        var aggregates: [Int64: WindowAggregate] = [:]
        while let (series, sample) = try next() {
            if !sample.value.isStalenessMarker { Self.add(sample, of: series, to: &aggregates) }
        }
        minutes[minute] = aggregates
        readMinute = minute
        order = (nil, [])
    }

    /// The windows of up to `count` series of a minute, from `series` on and in their order, and which series is next after
    /// them; nil when there is none.
    mutating func windows(of minute: Timestamp, from series: Int64, count: Int) -> (parts: [WindowPart], next: Int64?) {
        let aggregates = minutes[minute] ?? [:]
        // Series only ever come, as long as a minute is open.
        if order.minute != minute || order.series.count != aggregates.count {
            order = (minute, aggregates.keys.sorted())
        }
        let rest = order.series[Self.firstIndex(in: order.series, from: series)...]
        let parts = rest.prefix(count).compactMap { series in
            aggregates[series].map { WindowPart(start: minute, series: series, aggregate: $0) }
        }
        return (parts, rest.dropFirst(count).first)
    }

    /// A minute is settled.
    mutating func remove(_ minute: Timestamp) {
        minutes[minute] = nil
        order = (nil, [])
    }

    private static func firstIndex(in sorted: [Int64], from series: Int64) -> Int {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < series { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
