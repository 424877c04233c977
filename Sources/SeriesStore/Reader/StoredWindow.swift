public import Aggregation
public import MetricModel

/// A window of one series with what it holds.
public struct StoredWindow: Hashable, Sendable {
    public let start: Timestamp
    public let aggregate: WindowAggregate

    public init(start: Timestamp, aggregate: WindowAggregate) {
        self.start = start
        self.aggregate = aggregate
    }
}
