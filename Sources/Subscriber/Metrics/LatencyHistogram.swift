internal import Histogram

/// How long samples took from being collected to being committed: an HdrHistogram of microseconds, to three digits, each
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
        histogram.add(other.histogram)
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
        case samples, mean = "mean_us", p50 = "p50_us", p99 = "p99_us", p999 = "p999_us", maximum = "max_us", counts
    }

    /// The percentiles for people, and the counts by value for who adds up.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(samples, forKey: .samples)
        try container.encode((meanMicroseconds * 10).rounded() / 10, forKey: .mean)
        try container.encode(microseconds(atPercentile: 50), forKey: .p50)
        try container.encode(microseconds(atPercentile: 99), forKey: .p99)
        try container.encode(microseconds(atPercentile: 99.9), forKey: .p999)
        try container.encode(maximumMicroseconds, forKey: .maximum)
        try container.encode(histogram.recordedValues().map { [$0.value, UInt64($0.count)] }, forKey: .counts)
    }

    /// Reads the counts; the rest follows from them.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        for pair in try container.decode([[UInt64]].self, forKey: .counts) {
            guard pair.count == 2 else {
                throw DecodingError.dataCorruptedError(
                    forKey: .counts, in: container, debugDescription: "a count is a value and a number of samples")
            }
            histogram.record(min(pair[0], Self.longestMicroseconds), count: pair[1])
        }
    }
}

/// When the samples of a harvest were collected.
struct CollectionTimes: Sendable {
    private var times: ContiguousArray<(milliseconds: Int64, samples: Int)> = []

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
            let (collected, overflow) = milliseconds.multipliedReportingOverflow(by: 1000)
            let (latency, underflow) = microseconds.subtractingReportingOverflow(overflow ? .max : collected)
            histogram.record(microseconds: underflow ? 0 : latency, samples: samples)
        }
    }
}
