public import MetricModel

/// A span of event time, `[start, end)`, aligned to its resolution.
public struct Window: Hashable, Sendable {
    public let start: Timestamp
    public let resolution: Resolution

    /// The caller answers for the alignment; `Resolution.window(containing:)` gives aligned ones.
    public init(start: Timestamp, resolution: Resolution) {
        self.start = start
        self.resolution = resolution
    }

    /// The first instant that is not in the window.
    public var end: Timestamp { start + resolution.duration }

    public func contains(_ timestamp: Timestamp) -> Bool {
        start <= timestamp && timestamp < end
    }
}
