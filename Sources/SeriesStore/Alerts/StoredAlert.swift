public import Aggregation

/// Whose alert: a condition by its name, and a series by its canonical text.
public struct AlertKey: Hashable, Sendable {
    public let alert: String
    public let series: String

    public init(alert: String, series: String) {
        self.alert = alert
        self.series = series
    }
}

/// Where a condition stands for one series, as of the samples that are stored: a row of `alert_status`.
public struct StoredAlert: Hashable, Sendable {
    public let key: AlertKey
    /// The condition as text. A row of another condition of the same name says nothing about this one.
    public let condition: String
    /// Where the series was read from last: whoever reads this partition goes on with the alert.
    public let source: SourcePartition
    public let status: AlertStatus

    public init(key: AlertKey, condition: String, source: SourcePartition, status: AlertStatus) {
        self.key = key
        self.condition = condition
        self.source = source
        self.status = status
    }
}
