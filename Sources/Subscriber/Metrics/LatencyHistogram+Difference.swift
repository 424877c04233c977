internal import Histogram

extension LatencyHistogram {
    /// What has been counted since an earlier state of the same histogram.
    public func subtracting(_ earlier: LatencyHistogram) -> LatencyHistogram {
        guard earlier.samples > 0 else { return self }
        var before: [UInt64: UInt64] = [:]
        for bucket in earlier.histogram.recordedValues() { before[bucket.value] = UInt64(bucket.count) }
        var difference = LatencyHistogram()
        for bucket in histogram.recordedValues() {
            let counted = Int(UInt64(bucket.count)) - Int(before[bucket.value] ?? 0)
            difference.record(microseconds: Int64(bucket.value), samples: counted)
        }
        return difference
    }

    /// How many samples took longer.
    public func samples(longerThan duration: Duration) -> Int {
        let limit = UInt64(max(0, duration / .microseconds(1)))
        return histogram.recordedValues().reduce(0) { $0 + ($1.value > limit ? Int($1.count) : 0) }
    }
}
