internal import CoreMetrics
internal import Instruments
internal import MetricModel

/// Where the time of each commit's oldest record goes. Used by the `CommitLoop`'s task.
struct LagTimers: Sendable {
    private let topic: CoreMetrics.Timer
    private let processing: CoreMetrics.Timer
    private let commit: CoreMetrics.Timer

    init(_ metrics: any MetricsFactory) {
        topic = SubscriberMetrics.lagSeconds.timer(["topic"], in: metrics)
        processing = SubscriberMetrics.lagSeconds.timer(["processing"], in: metrics)
        commit = SubscriberMetrics.lagSeconds.timer(["commit"], in: metrics)
    }

    /// - Parameters:
    ///   - start: when the commit began.
    ///   - end: when it was done.
    func record(_ harvest: Harvest, _ start: ContinuousClock.Instant, _ end: ContinuousClock.Instant) {
        guard let arrival = harvest.arrival else { return }
        if let waited = arrival.longestWait { topic.recordNanoseconds(waited.wholeNanoseconds) }
        processing.recordNanoseconds((start - arrival.first).wholeNanoseconds)
        commit.recordNanoseconds((end - start).wholeNanoseconds)
    }
}

/// When what is in a harvest came.
struct Arrival: Sendable {
    /// When the first of it was read.
    let first: ContinuousClock.Instant
    /// From a record's timestamp to its being read, the longest; nil as long as no record has a timestamp.
    private(set) var longestWait: Duration?

    init(first: ContinuousClock.Instant) {
        self.first = first
    }

    /// A batch whose first record has this timestamp, in milliseconds since the epoch, has been read now.
    mutating func note(timestamp: Int64, now: Timestamp) {
        guard timestamp >= 0 else { return }
        // Another host's clock may be ahead of ours.
        let waited = max(.zero, now - Timestamp(milliseconds: timestamp))
        longestWait = max(longestWait ?? .zero, waited)
    }
}

extension Duration {
    /// At most what `Int64` holds: 292 years.
    fileprivate var wholeNanoseconds: Int64 {
        let (seconds, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : seconds.addingReportingOverflow(components.attoseconds / 1_000_000_000).partialValue
    }
}
