public import MetricModel

/// One condition over all series that match it: which are pending, which fire.
///
///                    holds                    held for `for`
///     inactive ────────────────→ pending ────────────────────→ firing
///        ↑        does not hold     │                            │ does not hold, or the series ended
///        └──────────────────────────┘            resolved ←──────┘
///
/// Time is event time, the samples' own: a condition fires with the first sample at least `for` after the first that met
/// it, so the same samples give the same events whenever they arrive. A sample that is not newer than its series' last one
/// is passed over; so whoever feeds it leaves out samples whose times are not plausible (``ObservedTimes``), or one from the
/// year 2100 would be the series' last. A series ends with a staleness marker, or when event time or its own next sample is
/// more than `staleness` after its last one.
///
/// A plain value; whoever matches samples owns it. `Series` is the number by which the owner knows a series.
public struct AlertTracker<Series: Hashable & Sendable>: Sendable {
    public let condition: ThresholdCondition
    /// How long after its last sample a series has ended: Prometheus's lookback.
    public let staleness: Duration
    private var series: [Series: AlertStatus] = [:]

    public init(_ condition: ThresholdCondition, staleness: Duration = .seconds(300)) {
        self.condition = condition
        self.staleness = staleness
    }

    /// Where the condition stands for each series that has a sample within `staleness`.
    public var statuses: [Series: AlertStatus] { series }

    /// How many series are watched.
    public var seriesCount: Int { series.count }

    /// Where the condition stands for a series; nil for one without samples, or that has ended and was forgotten.
    public func status(of key: Series) -> AlertStatus? { series[key] }

    /// Goes on with a status that was stored.
    public mutating func restore(_ status: AlertStatus, of key: Series) {
        series[key] = status
    }

    /// Knows nothing more of a series, without an event.
    public mutating func forget(_ key: Series) {
        series[key] = nil
    }

    /// A sample of a series that matches the condition arrived.
    ///
    /// - Returns: what it brought about: nothing most often; two events when the series had ended, unnoticed.
    public mutating func observe(_ sample: Sample, of key: Series) -> [AlertEvent] {
        guard var status = series[key] else {
            // An older sample that is late does not bring the series back.
            let status = AlertStatus(stage: .inactive, lastTime: Timestamp(milliseconds: .min), lastValue: .nan)
            return observe(sample, of: key, after: status)
        }
        guard sample.timestamp > status.lastTime else { return [] }
        guard sample.timestamp - status.lastTime > staleness else { return observe(sample, of: key, after: status) }
        let ended = status.ended(.seriesEnded, value: status.lastValue, at: status.lastTime + staleness)
        status.stage = .inactive
        return (ended.map { [$0] } ?? []) + observe(sample, of: key, after: status)
    }

    private mutating func observe(_ sample: Sample, of key: Series, after old: AlertStatus) -> [AlertEvent] {
        var status = old
        status.lastTime = sample.timestamp
        defer { series[key] = status }
        if sample.value.isStalenessMarker {
            status.stage = .inactive
            return old.ended(.seriesEnded, value: old.lastValue, at: sample.timestamp).map { [$0] } ?? []
        }
        status.lastValue = sample.value
        guard condition.holds(for: sample.value) else {
            status.stage = .inactive
            return old.ended(.value, value: sample.value, at: sample.timestamp).map { [$0] } ?? []
        }
        let since: Timestamp
        switch old.stage {
        case .firing: return []
        case .pending(let start): since = start
        case .inactive: since = sample.timestamp
        }
        let firedAt = sample.timestamp - since >= condition.duration ? sample.timestamp : nil
        status.stage = firedAt.map { .firing(since: since, firedAt: $0) } ?? .pending(since: since)
        // A pending alert that stays pending is no news.
        guard status.stage != old.stage else { return [] }
        return [
            AlertEvent(
                state: firedAt == nil ? .pending : .firing, value: sample.value, time: sample.timestamp,
                activeSince: since, firedAt: firedAt)
        ]
    }

    /// Event time went on: series without a sample for `staleness` have ended, and are forgotten.
    ///
    /// - Parameter isMeant: whether event time is that of this series.
    /// - Returns: the series that were forgotten, each with the event of its alert if it had one.
    public mutating func advance(
        to eventTime: Timestamp, where isMeant: (Series) -> Bool = { _ in true }
    ) -> [(series: Series, event: AlertEvent?)] {
        let oldest = eventTime - staleness
        var forgotten: [(series: Series, event: AlertEvent?)] = []
        for (key, status) in series where status.lastTime < oldest && isMeant(key) {
            forgotten.append(
                (key, status.ended(.seriesEnded, value: status.lastValue, at: status.lastTime + staleness)))
            series[key] = nil
        }
        return forgotten
    }
}
