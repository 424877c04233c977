/// The upper bounds of a histogram's buckets, in the metric's unit. Each bucket is a series, so there are few: steps of
/// about three, by which a quantile is known to within its factor of three and interpolated within.
public struct Buckets: Hashable, Sendable {
    /// Ascending. One more bucket takes what is beyond the last.
    public let upperBounds: [Double]

    /// - Precondition: from one to 15 finite bounds, ascending.
    public init(_ upperBounds: [Double]) {
        precondition((1..<BucketCounts.maximumBuckets).contains(upperBounds.count), "1 to 15 buckets with a bound")
        precondition(upperBounds.allSatisfy(\.isFinite), "the bucket without a bound is there anyway")
        precondition(zip(upperBounds, upperBounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
        self.upperBounds = upperBounds
    }

    /// From 100 µs, a request that stays in memory, to 10 s, one that should not be.
    public static let seconds = Buckets([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10])
    /// From 64 bytes to 16 MiB in steps of four.
    public static let bytes = Buckets((0..<10).map { Double(64 << (2 * $0)) })
    /// Powers of ten.
    public static let numbers = Buckets((0..<10).map { (0..<$0).reduce(1.0) { power, _ in power * 10 } })

    /// What the unit at the end of a metric's name asks for.
    public static func suited(to metricName: String) -> Buckets {
        if metricName.hasSuffix("_bytes") { return bytes }
        return metricName.hasSuffix("_seconds") ? seconds : numbers
    }
}
