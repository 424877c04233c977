/// The smallest and the largest value. NaN counts only when there is nothing else, as in Prometheus's
/// `min_over_time` and `max_over_time`.
public struct Extremes: Hashable, Sendable {
    public private(set) var min: Double
    public private(set) var max: Double

    public init(_ value: Double) {
        min = value
        max = value
    }

    /// Extremes that were stored.
    public init(min: Double, max: Double) {
        self.min = min
        self.max = max
    }

    public mutating func add(_ value: Double) {
        if value < min || min.isNaN { min = value }
        if value > max || max.isNaN { max = value }
    }

    public mutating func add(_ other: Extremes) {
        if other.min < min || min.isNaN { min = other.min }
        if other.max > max || max.isNaN { max = other.max }
    }
}
