internal import Histogram

/// How long samples took from being collected to being committed, or to having arrived: an HdrHistogram of microseconds, to three digits, each
/// sample counted once. A value; histograms of several subscribers are added up.
///
/// A record's latency counts from its own timestamp, which is when it was to be collected, whenever it was: a publisher that
/// is held up makes latencies longer instead of taking fewer of them (no coordinated omission; G. Tene, "How NOT to Measure
/// Latency").
public struct LatencyHistogram: Sendable, Equatable {
    /// What is longer counts as this long: a day.
    public static let longestMicroseconds: UInt64 = 86_400_000_000

    private(set) var histogram = Histogram<UInt64>(highestTrackableValue: longestMicroseconds)

    public init() {}

    /// Counts so many samples.
    public mutating func record(microseconds: Int64, samples: Int) {
        guard samples > 0 else { return }
        // Another host's clock may be ahead of ours.
        let value = min(UInt64(max(0, microseconds)), Self.longestMicroseconds)
        histogram.record(value, count: UInt64(samples))
    }

    public mutating func add(_ other: LatencyHistogram) {
        if samples == 0 { self = other } else if other.samples > 0 { histogram.add(other.histogram) }
    }

    /// Samples counted.
    public var samples: Int { Int(histogram.totalCount) }
    public var meanMicroseconds: Double { samples == 0 ? 0 : histogram.mean }
    public var maximumMicroseconds: Int { samples == 0 ? 0 : Int(histogram.maxRecorded) }

    /// What this share of the samples, in percent, did not take longer than; 0 when there are none.
    public func microseconds(atPercentile percentile: Double) -> Int {
        samples == 0 ? 0 : Int(histogram.valueAtPercentile(percentile))
    }
}

extension LatencyHistogram: Codable {
    private enum CodingKeys: String, CodingKey {
        // Written in snake case in a report: mean_us and so on.
        case samples, mean = "meanUs", p50 = "p50Us", p99 = "p99Us", p999 = "p999Us", maximum = "maxUs", counts
    }

    /// The percentiles for people, and the counts by value for who adds up. All from one walk over the buckets, of which
    /// there are tens of thousands: a report is written several times a second where a comparison asks for it.
    public func encode(to encoder: any Encoder) throws {
        let counts = histogram.recordedValues().map { [$0.value, UInt64($0.count)] }
        let total = counts.reduce(0) { $0 + Double($1[0]) * Double($1[1]) }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(samples, forKey: .samples)
        let mean = total / Double(max(1, samples))
        try container.encode((mean * 10).rounded() / 10, forKey: .mean)
        try container.encode(Self.percentile(50, of: counts, samples), forKey: .p50)
        try container.encode(Self.percentile(99, of: counts, samples), forKey: .p99)
        try container.encode(Self.percentile(99.9, of: counts, samples), forKey: .p999)
        try container.encode(maximumMicroseconds, forKey: .maximum)
        try container.encode(counts, forKey: .counts)
    }

    /// As ``microseconds(atPercentile:)``: the value that so many samples are not above.
    private static func percentile(_ percentile: Double, of counts: [[UInt64]], _ samples: Int) -> Int {
        let goal = max(1, UInt64((percentile / 100 * Double(samples)).rounded()))
        var counted: UInt64 = 0
        for pair in counts {
            counted += pair[1]
            if counted >= goal { return Int(pair[0]) }
        }
        return 0
    }

    /// Reads the counts, whose values are the ends of their buckets, and the maximum, which is exact; the rest follows.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let maximum = min(try container.decode(UInt64.self, forKey: .maximum), Self.longestMicroseconds)
        for pair in try container.decode([[UInt64]].self, forKey: .counts) {
            guard pair.count == 2 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .counts, in: container, debugDescription: "a count is a value and a number of samples")
            }
            histogram.record(min(pair[0], maximum), count: pair[1])
        }
    }
}

/// When the samples of a harvest were collected.
struct CollectionTimes: Sendable {
    private var times: ContiguousArray<(milliseconds: Int64, samples: Int)> = []
    /// What has been recorded as arrived: all of `times` before this index, and so many samples of the one there.
    private var arrived = (index: 0, samples: 0)

    /// A record with this timestamp brought so many samples. One without (-1) has no time of collection.
    mutating func note(_ milliseconds: Int64, samples: Int) {
        guard milliseconds >= 0, samples > 0 else { return }
        if let last = times.last, last.milliseconds == milliseconds {
            times[times.count - 1].samples += samples
        } else {
            times.append((milliseconds, samples))
        }
    }

    /// All of them have been committed.
    func record(in histogram: inout LatencyHistogram, committedAt microseconds: Int64) {
        for (milliseconds, samples) in times {
            Self.record(milliseconds, samples: samples, in: &histogram, at: microseconds)
        }
    }

    /// What was noted since the last call has arrived.
    mutating func recordArrivals(in histogram: inout LatencyHistogram, at microseconds: Int64) {
        guard !times.isEmpty else { return }
        for index in arrived.index..<times.count {
            let samples = times[index].samples - (index == arrived.index ? arrived.samples : 0)
            Self.record(times[index].milliseconds, samples: samples, in: &histogram, at: microseconds)
        }
        arrived = (times.count - 1, times[times.count - 1].samples)
    }

    private static func record(
        _ milliseconds: Int64, samples: Int, in histogram: inout LatencyHistogram, at microseconds: Int64
    ) {
        let (collected, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
        let (latency, underflow) = microseconds.subtractingReportingOverflow(overflow ? .max : collected)
        histogram.record(microseconds: underflow ? 0 : latency, samples: samples)
    }
}
