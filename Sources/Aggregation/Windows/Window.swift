public import MetricModel

/// A span of event time, `[start, end)`. Where windows begin is for a ``Resolution`` or a ``WindowSpecification`` to say.
public struct Window: Hashable, Sendable {
    public let start: Timestamp
    /// The first instant that is not in the window.
    public let end: Timestamp

    /// - Precondition: `start` is not after `end`.
    public init(start: Timestamp, end: Timestamp) {
        precondition(start <= end)
        self.start = start
        self.end = end
    }

    /// The caller answers for the alignment; `Resolution.window(containing:)` gives aligned ones.
    public init(start: Timestamp, resolution: Resolution) {
        self.init(start: start, end: start + resolution.duration)
    }

    public var width: Duration { end - start }

    public func contains(_ timestamp: Timestamp) -> Bool {
        start <= timestamp && timestamp < end
    }
}

extension Window: CustomStringConvertible {
    public var description: String { "[\(start), \(end))" }
}
