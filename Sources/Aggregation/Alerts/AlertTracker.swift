public import MetricModel

/// One condition over all series that match it: which are pending, which fire.
///
///                    holds                    held for `for`
///     inactive ────────────────→ pending ────────────────────→ firing
///        ↑   does not hold (silently) │                          │ does not hold, or the series ended
///        └────────────────────────────┘          resolved ←──────┘
///
/// Time is event time, the samples' own: a condition fires with the first sample at least `for` after the first that met
/// it, so the same samples give the same events whenever they arrive. A sample that is not newer than its series' last one
/// is passed over; so whoever feeds it leaves out samples whose times are not plausible (``ObservedTimes``), or one from the
/// year 2100 would be the series' last. A series ends with a staleness marker, or when event time passes its last sample by `staleness`.
///
/// A plain value; whoever matches samples owns it. `Series` is the number by which the owner knows a series.
public struct AlertTracker<Series: Hashable & Sendable>: Sendable {
    private struct Status {
        var lastTime: Timestamp
        var lastValue: Double
        /// Nil while the condition does not hold.
        var activeSince: Timestamp?
        var isFiring = false
    }

    public let condition: ThresholdCondition
    /// How long after its last sample a series has ended: Prometheus's lookback.
    public let staleness: Duration
    private var series: [Series: Status] = [:]

    public init(_ condition: ThresholdCondition, staleness: Duration = .seconds(300)) {
        self.condition = condition
        self.staleness = staleness
    }

    /// The series that are pending or firing.
    public var active: [Series: ActiveAlert] {
        series.compactMapValues { status in
            status.activeSince.map { since in
                ActiveAlert(
                    state: status.isFiring ? .firing : .pending, activeSince: since, lastTime: status.lastTime,
                    lastValue: status.lastValue)
            }
        }
    }

    /// Goes on with an alert that was stored.
    public mutating func restore(_ alert: ActiveAlert, of key: Series) {
        series[key] = Status(
            lastTime: alert.lastTime, lastValue: alert.lastValue, activeSince: alert.activeSince,
            isFiring: alert.state == .firing)
    }

    /// A sample of a series that matches the condition arrived.
    public mutating func observe(_ sample: Sample, of key: Series) -> AlertEvent? {
        var status = series[key] ?? Status(lastTime: Timestamp(milliseconds: .min), lastValue: .nan)
        guard sample.timestamp > status.lastTime else { return nil }
        if sample.value.isStalenessMarker {
            let event = ending(of: status, .seriesEnded, value: status.lastValue, at: sample.timestamp)
            // Remembered, so that older samples that are late do not bring it back.
            series[key] = Status(lastTime: sample.timestamp, lastValue: status.lastValue)
            return event
        }
        status.lastTime = sample.timestamp
        status.lastValue = sample.value
        defer { series[key] = status }
        guard condition.holds(for: sample.value) else {
            let event = ending(of: status, .value, value: sample.value, at: sample.timestamp)
            status.activeSince = nil
            status.isFiring = false
            return event
        }
        let isNew = status.activeSince == nil
        let since = status.activeSince ?? sample.timestamp
        status.activeSince = since
        let wasFiring = status.isFiring
        status.isFiring = wasFiring || sample.timestamp - since >= condition.duration
        guard isNew || status.isFiring != wasFiring else { return nil }
        return AlertEvent(
            state: status.isFiring ? .firing : .pending, value: sample.value, time: sample.timestamp,
            activeSince: since, ending: nil)
    }

    /// Event time went on: series without a sample for `staleness` have ended, and are forgotten.
    public mutating func advance(to eventTime: Timestamp) -> [(series: Series, event: AlertEvent)] {
        let oldest = eventTime - staleness
        var events: [(series: Series, event: AlertEvent)] = []
        for (key, status) in series where status.lastTime < oldest {
            if let event = ending(of: status, .seriesEnded, value: status.lastValue, at: status.lastTime + staleness) {
                events.append((key, event))
            }
            series[key] = nil
        }
        return events
    }

    private func ending(
        of status: Status, _ ending: AlertEvent.Ending, value: Double, at time: Timestamp
    ) -> AlertEvent? {
        guard status.isFiring, let since = status.activeSince else { return nil }
        return AlertEvent(state: .resolved, value: value, time: time, activeSince: since, ending: ending)
    }
}
