internal import Subscriber

extension LatencyResult {
    init(_ histogram: LatencyHistogram) {
        func milliseconds(_ percentile: Double) -> Double {
            Double(histogram.microseconds(atPercentile: percentile)) / 1000
        }
        self.init(
            samples: histogram.samples, p50: milliseconds(50), p99: milliseconds(99), p999: milliseconds(99.9),
            maximum: Double(histogram.maximumMicroseconds) / 1000)
    }
}
