/// How a subscriber works its way through the topics: when it commits, and what it does beside storing.
///
/// Every mode stores every sample exactly once; docs/modes.md compares what they cost and how soon they act.
public enum ProcessingMode: String, CaseIterable, Hashable, Sendable {
    /// One record, one transaction, which is committed before the next record is taken.
    case sequence
    /// A transaction takes whatever came while the one before it ran, so commits grow with the load.
    case batch
    /// As `batch`, and windows in event time close on the watermark and are emitted to topics.
    case stream
    /// As `batch`, and each sample is matched and pushed the moment it is read, before it is committed. Windows of rules
    /// are emitted too, where a rule file has any.
    case realtime
}

extension ProcessingMode {
    /// Whether each record has a transaction of its own.
    var commitsEachRecord: Bool { self == .sequence }

    /// Whether rules have their windows closed and emitted.
    public var closesWindows: Bool { self == .stream || self == .realtime }

    /// Whether an ``ArrivalObserver`` sees samples before they are committed.
    public var actsOnArrival: Bool { self == .realtime }
}
