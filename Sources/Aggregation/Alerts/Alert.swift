public import MetricModel

/// What became of an alert; Prometheus's and Alertmanager's words.
public enum AlertState: String, Hashable, Sendable, Codable, CaseIterable {
    /// A pending alert went away before it fired.
    case inactive
    /// The condition holds, but not for long enough yet.
    case pending
    case firing
    /// It fired and does not hold any more.
    case resolved
}

/// What changed for one series of one condition: what goes to the topic `alerts`.
public struct AlertEvent: Hashable, Sendable {
    /// Why an alert is over.
    public enum Ending: String, Hashable, Sendable, Codable {
        /// A sample does not meet the condition.
        case value
        /// The series ended: a staleness marker, or no sample for long.
        case seriesEnded = "series_ended"
        /// The condition was changed, or is not asked for any more.
        case conditionChanged = "condition_changed"
    }

    public let state: AlertState
    /// The value of the sample that brought it about; of the last sample when no sample did.
    public let value: Double
    /// Of that sample: event time.
    public let time: Timestamp
    /// Since when the condition holds, or held.
    public let activeSince: Timestamp
    /// When it fired; nil for an alert that never did.
    public let firedAt: Timestamp?
    /// Set when it is over, inactive or resolved.
    public let ending: Ending?

    public init(
        state: AlertState, value: Double, time: Timestamp, activeSince: Timestamp, firedAt: Timestamp? = nil,
        ending: Ending? = nil
    ) {
        self.state = state
        self.value = value
        self.time = time
        self.activeSince = activeSince
        self.firedAt = firedAt
        self.ending = ending
    }
}

/// Where a condition stands for one series after its last sample: also the row by which a store keeps it over a restart.
public struct AlertStatus: Hashable, Sendable {
    /// How far an alert has come.
    public enum Stage: Hashable, Sendable {
        /// The condition does not hold.
        case inactive
        case pending(since: Timestamp)
        case firing(since: Timestamp, firedAt: Timestamp)
    }

    public var stage: Stage
    /// Of the last sample, or staleness marker.
    public var lastTime: Timestamp
    /// The last value that was none.
    public var lastValue: Double

    public init(stage: Stage, lastTime: Timestamp, lastValue: Double) {
        self.stage = stage
        self.lastTime = lastTime
        self.lastValue = lastValue
    }

    /// What it means for the alert to be over now; nil if there is none.
    public func ended(_ ending: AlertEvent.Ending, value: Double, at time: Timestamp) -> AlertEvent? {
        switch stage {
        case .inactive: nil
        case .pending(let since):
            AlertEvent(state: .inactive, value: value, time: time, activeSince: since, ending: ending)
        case .firing(let since, let firedAt):
            AlertEvent(
                state: .resolved, value: value, time: time, activeSince: since, firedAt: firedAt, ending: ending)
        }
    }
}
