public import MetricModel

/// Where a condition stands for one series; Prometheus's words.
public enum AlertState: String, Hashable, Sendable {
    /// It holds, but not for long enough yet.
    case pending
    case firing
    /// It fired and does not hold any more.
    case resolved
}

/// What changed for one series of one condition: what goes to the topic `alerts`.
public struct AlertEvent: Hashable, Sendable {
    /// Why an alert that fired is over.
    public enum Ending: String, Hashable, Sendable {
        /// A sample does not meet the condition.
        case value
        /// The series ended: a staleness marker, or no sample for long.
        case seriesEnded = "series_ended"
    }

    /// Pending, firing or resolved. A pending alert that goes away again is no event, as in Prometheus.
    public let state: AlertState
    /// The value of the sample that brought it about; of the last sample when the series ended.
    public let value: Double
    /// Of that sample: event time.
    public let time: Timestamp
    /// Since when the condition holds, or held.
    public let activeSince: Timestamp
    /// Set when the state is resolved.
    public let ending: Ending?

    public init(state: AlertState, value: Double, time: Timestamp, activeSince: Timestamp, ending: Ending? = nil) {
        self.state = state
        self.value = value
        self.time = time
        self.activeSince = activeSince
        self.ending = ending
    }
}

/// An alert that is pending or firing: also the row by which a store keeps it over a restart.
public struct ActiveAlert: Hashable, Sendable {
    /// `pending` or `firing`.
    public let state: AlertState
    public let activeSince: Timestamp
    public let lastTime: Timestamp
    public let lastValue: Double

    public init(state: AlertState, activeSince: Timestamp, lastTime: Timestamp, lastValue: Double) {
        self.state = state
        self.activeSince = activeSince
        self.lastTime = lastTime
        self.lastValue = lastValue
    }
}
