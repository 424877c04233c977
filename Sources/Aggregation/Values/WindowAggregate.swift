public import MetricModel

/// What a window keeps of its samples: count, sum, smallest, largest, first and last. Never empty.
///
/// Merging is commutative and associative, so late and out-of-order samples give the aggregate that all samples
/// in order give (the sum to about 106 bits, see `CompensatedSum`).
///
/// NaN is a value, as in Prometheus's `…_over_time` functions: it is counted, it makes the sum NaN, it may be
/// first or last, and it is passed over by min and max unless there is nothing else. Staleness markers
/// (`Double.isStalenessMarker`) are no values: whoever feeds an aggregate leaves them out.
public struct WindowAggregate: Hashable, Sendable {
    public private(set) var count: Int64
    public private(set) var sum: CompensatedSum
    public private(set) var extremes: Extremes
    public private(set) var endpoints: Endpoints

    public init(_ sample: Sample) {
        count = 1
        sum = CompensatedSum(sample.value)
        extremes = Extremes(sample.value)
        endpoints = Endpoints(sample)
    }

    /// An aggregate that was stored as its parts.
    public init(count: Int64, sum: CompensatedSum, extremes: Extremes, endpoints: Endpoints) {
        self.count = count
        self.sum = sum
        self.extremes = extremes
        self.endpoints = endpoints
    }

    public mutating func add(_ sample: Sample) {
        count &+= 1
        sum.add(sample.value)
        extremes.add(sample.value)
        endpoints.add(sample)
    }

    public mutating func merge(_ other: WindowAggregate) {
        count &+= other.count
        sum.add(other.sum)
        extremes.add(other.extremes)
        endpoints.add(other.endpoints)
    }

    public var min: Double { extremes.min }
    public var max: Double { extremes.max }
    public var first: Sample { endpoints.first }
    public var last: Sample { endpoints.last }
    /// The arithmetic mean.
    public var mean: Double { sum.value / Double(count) }
}
