public import MetricModel

/// A series as the database knows it.
public struct StoredSeries: Hashable, Sendable {
    public let id: SeriesID
    public let labels: Labels

    public init(id: SeriesID, labels: Labels) {
        self.id = id
        self.labels = labels
    }
}
