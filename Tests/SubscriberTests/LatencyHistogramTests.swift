import Foundation
import Testing

@testable import Subscriber

@Suite struct LatencyHistogramTests {
    @Test func `each sample counts once, to three digits`() {
        var histogram = LatencyHistogram()
        histogram.record(microseconds: 1000, samples: 990)
        histogram.record(microseconds: 5_000_000, samples: 9)
        histogram.record(microseconds: 60_000_000, samples: 1)
        #expect(histogram.samples == 1000)
        #expect(histogram.microseconds(atPercentile: 50) == 1000)
        #expect(abs(histogram.microseconds(atPercentile: 99.5) - 5_000_000) <= 5000)
        #expect(abs(histogram.maximumMicroseconds - 60_000_000) <= 60_000)
    }

    @Test func `clocks that disagree and ages beyond a day are counted at the ends`() {
        var histogram = LatencyHistogram()
        histogram.record(microseconds: -5, samples: 1)
        histogram.record(microseconds: .max, samples: 2)
        histogram.record(microseconds: 7, samples: 0)
        #expect(histogram.samples == 3)
        #expect(histogram.microseconds(atPercentile: 10) == 0)
        #expect(histogram.maximumMicroseconds >= 86_000_000_000)
        #expect(LatencyHistogram().microseconds(atPercentile: 99) == 0)
    }

    @Test func `histograms of several subscribers add up, also by way of JSON`() throws {
        var first = LatencyHistogram()
        var second = LatencyHistogram()
        var both = LatencyHistogram()
        for value in stride(from: Int64(1), to: 3_000_000, by: 7919) {
            if value % 2 == 0 {
                first.record(microseconds: value, samples: 3)
            } else {
                second.record(microseconds: value, samples: 1)
            }
            both.record(microseconds: value, samples: value % 2 == 0 ? 3 : 1)
        }
        let encoded = try JSONEncoder().encode(second)
        first.add(try JSONDecoder().decode(LatencyHistogram.self, from: encoded))
        #expect(first.samples == both.samples)
        for percentile in [1.0, 50, 99, 99.9, 100] {
            #expect(
                first.microseconds(atPercentile: percentile) == both.microseconds(atPercentile: percentile),
                "\(percentile)")
        }
    }

    @Test func `latency counts from a record's own time`() {
        var times = CollectionTimes()
        times.note(1000, samples: 5)
        times.note(1000, samples: 5)
        times.note(-1, samples: 7)
        times.note(1900, samples: 1)
        var histogram = LatencyHistogram()
        times.record(in: &histogram, committedAt: 2_000_500)
        #expect(histogram.samples == 11, "a record without a time has no latency")
        #expect(abs(histogram.microseconds(atPercentile: 5) - 100_500) <= 100)
        #expect(abs(histogram.maximumMicroseconds - 1_000_500) <= 1000)
    }

    @Test func `JSON says the same as the histogram`() throws {
        var histogram = LatencyHistogram()
        for value in stride(from: Int64(3), to: 2_000_000, by: 977) {
            histogram.record(microseconds: value, samples: Int(value % 5) + 1)
        }
        let fields = try #require(
            try JSONSerialization.jsonObject(with: JSONEncoder().encode(histogram)) as? [String: Any])
        for (key, percentile) in [("p50Us", 50.0), ("p99Us", 99), ("p999Us", 99.9)] {
            #expect(fields[key] as? Int == histogram.microseconds(atPercentile: percentile), "\(key)")
        }
        let mean = try #require(fields["meanUs"] as? Double)
        #expect(abs(mean - histogram.meanMicroseconds) <= histogram.meanMicroseconds / 1000)
    }

    @Test func `what has arrived is recorded once, however often more of it comes`() {
        var times = CollectionTimes()
        var arrivals = LatencyHistogram()
        times.recordArrivals(in: &arrivals, at: 1_000_000)
        times.note(1000, samples: 5)
        times.recordArrivals(in: &arrivals, at: 1_002_000)
        times.note(1000, samples: 2)
        times.note(1500, samples: 1)
        times.recordArrivals(in: &arrivals, at: 1_510_000)
        times.recordArrivals(in: &arrivals, at: 9_000_000)
        #expect(arrivals.samples == 8)
        #expect(arrivals.samples(longerThan: .milliseconds(5)) == 3)
        #expect(arrivals.samples(longerThan: .milliseconds(520)) == 0)
    }
}
