internal import Glibc

/// Quantiles of a stream of numbers with a bounded *relative* error, mergeable, in bounded memory.
///
/// A value x > 0 goes into bucket ⌈log_γ x⌉ with γ = (1 + α) / (1 − α), so that every value of a bucket is within α of
/// the bucket's representative; negative values likewise by magnitude, zero by itself. Merging adds buckets, so parts
/// merged in any order give the sketch of the whole, bit by bit.
/// Source: C. Masson, J. E. Rim, H. K. Lee, "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with Relative-Error
/// Guarantees", VLDB 2019.
///
/// Each sign has at most `maximumBuckets` buckets; when the magnitudes span more, the smallest magnitudes are
/// collapsed into one bucket, and only quantiles that lie in that one lose their guarantee. With α = 1 % and 2048 buckets
/// that takes values that differ by more than a factor of 10^17.
///
/// Infinities are counted apart and are smaller or larger than everything. NaN is passed over unless there is nothing
/// else, as by min and max. Magnitudes below 10^-300 count as zero.
public struct DDSketch: Hashable, Sendable {
    /// The relative error by default: 1 %.
    public static let defaultAccuracy = 0.01
    public static let defaultMaximumBuckets = 2048
    static let smallestMagnitude = 1e-300

    /// α: a quantile is between (1 − α) and (1 + α) times the exact one.
    public let relativeAccuracy: Double
    /// Of each sign.
    public let maximumBuckets: Int
    private let logGamma: Double

    private(set) var positive: BucketCounts
    private(set) var negative: BucketCounts
    private(set) var zeroCount: UInt64 = 0
    private(set) var infinityCount: UInt64 = 0
    private(set) var negativeInfinityCount: UInt64 = 0
    /// NaNs, which no quantile counts.
    public private(set) var nanCount: UInt64 = 0
    /// The exact extremes of all that is not NaN; the first is larger when there is nothing.
    private(set) var smallest = Double.infinity
    private(set) var largest = -Double.infinity

    /// - Precondition: `relativeAccuracy` is between 0.0001 and 0.5, `maximumBuckets` at least 16.
    public init(
        relativeAccuracy: Double = defaultAccuracy, maximumBuckets: Int = defaultMaximumBuckets
    ) {
        precondition(Self.isValid(relativeAccuracy: relativeAccuracy) && maximumBuckets >= 16)
        self.relativeAccuracy = relativeAccuracy
        self.maximumBuckets = maximumBuckets
        logGamma = log((1 + relativeAccuracy) / (1 - relativeAccuracy))
        positive = BucketCounts(maximumBuckets: maximumBuckets)
        negative = BucketCounts(maximumBuckets: maximumBuckets)
    }

    public static func isValid(relativeAccuracy: Double) -> Bool { (0.0001...0.5).contains(relativeAccuracy) }

    /// A sketch that was stored as its parts.
    init(
        relativeAccuracy: Double, maximumBuckets: Int, positive: BucketCounts, negative: BucketCounts,
        zeroCount: UInt64, infinityCount: UInt64, negativeInfinityCount: UInt64, nanCount: UInt64,
        smallest: Double, largest: Double
    ) {
        self.init(relativeAccuracy: relativeAccuracy, maximumBuckets: maximumBuckets)
        self.positive = positive
        self.negative = negative
        self.zeroCount = zeroCount
        self.infinityCount = infinityCount
        self.negativeInfinityCount = negativeInfinityCount
        self.nanCount = nanCount
        self.smallest = smallest
        self.largest = largest
    }

    /// How many values are in it, NaN left out.
    public var count: UInt64 {
        positive.total &+ negative.total &+ zeroCount &+ infinityCount &+ negativeInfinityCount
    }

    /// Whether so many magnitudes met that the smallest were collapsed.
    public var hasCollapsed: Bool { positive.hasCollapsed || negative.hasCollapsed }

    public mutating func add(_ value: Double) {
        guard !value.isNaN else {
            nanCount &+= 1
            return
        }
        // Adding zero makes one zero of the two.
        if value < smallest { smallest = value + 0 }
        if value > largest { largest = value + 0 }
        let magnitude = value.magnitude
        if magnitude < Self.smallestMagnitude {
            zeroCount &+= 1
        } else if magnitude == .infinity {
            if value > 0 { infinityCount &+= 1 } else { negativeInfinityCount &+= 1 }
        } else if value > 0 {
            positive.add(bucket(of: magnitude), 1)
        } else {
            negative.add(bucket(of: magnitude), 1)
        }
    }

    /// Adds all values of another sketch.
    ///
    /// - Precondition: both have the same accuracy and number of buckets.
    public mutating func merge(_ other: DDSketch) {
        precondition(relativeAccuracy == other.relativeAccuracy && maximumBuckets == other.maximumBuckets)
        positive.merge(other.positive)
        negative.merge(other.negative)
        zeroCount &+= other.zeroCount
        infinityCount &+= other.infinityCount
        negativeInfinityCount &+= other.negativeInfinityCount
        nanCount &+= other.nanCount
        smallest = min(smallest, other.smallest)
        largest = max(largest, other.largest)
    }

    /// The value below or at which a share `q` of the values lies: of n values in order, that of rank ⌊q (n − 1)⌋, counted
    /// from 0, within `relativeAccuracy`. The smallest and the largest are exact. (Prometheus's `quantile_over_time`
    /// draws a line between that value and the next one; with many values both are close.)
    ///
    /// - Returns: nil for an empty sketch, NaN for one that holds NaNs alone.
    /// - Precondition: `q` is between 0 and 1.
    public func quantile(_ q: Double) -> Double? {
        precondition((0...1).contains(q))
        let count = count
        guard count > 0 else { return nanCount > 0 ? .nan : nil }
        let rank = (q * Double(count - 1)).rounded(.down)
        if rank <= 0 { return smallest }
        if rank >= Double(count - 1) { return largest }
        return max(smallest, min(largest, value(ofRank: UInt64(rank))))
    }

    private func value(ofRank rank: UInt64) -> Double {
        var rest = rank
        func take(_ count: UInt64) -> Bool {
            if rest < count { return true }
            rest -= count
            return false
        }
        if take(negativeInfinityCount) { return -.infinity }
        if let bucket = negative.descending(skipping: &rest) { return -representative(of: bucket) }
        if take(zeroCount) { return 0 }
        if let bucket = positive.ascending(skipping: &rest) { return representative(of: bucket) }
        return .infinity
    }

    private func bucket(of magnitude: Double) -> Int32 {
        // Magnitudes are within 10^±308, and log γ at least 0.0002: the quotient fits easily.
        Int32((log(magnitude) / logGamma).rounded(.up))
    }

    /// The value that is within α of all of the bucket, (γ^(i−1), γ^i]: 2 γ^i / (γ + 1).
    private func representative(of bucket: Int32) -> Double {
        exp(Double(bucket) * logGamma) * (1 - relativeAccuracy)
    }
}
