public import MetricModel

/// The earliest and the latest sample by timestamp, whatever order they arrive in.
public struct Endpoints: Hashable, Sendable {
    public private(set) var first: Sample
    public private(set) var last: Sample

    public init(_ sample: Sample) {
        first = sample
        last = sample
    }

    /// Endpoints that were stored.
    public init(first: Sample, last: Sample) {
        self.first = first
        self.last = last
    }

    /// A series has one sample per timestamp, so ties do not occur; if they did, what is held would stay.
    public mutating func add(_ sample: Sample) {
        if sample.timestamp < first.timestamp { first = sample }
        if sample.timestamp > last.timestamp { last = sample }
    }

    public mutating func add(_ other: Endpoints) {
        if other.first.timestamp < first.timestamp { first = other.first }
        if other.last.timestamp > last.timestamp { last = other.last }
    }
}
