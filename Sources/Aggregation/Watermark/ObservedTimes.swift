public import MetricModel

/// The sample times of one record, judged as they are added: one comparison or two each.
///
/// A plain value; whoever decodes makes one per record from `EventTimeWatermark.plausibleTimes(of:at:)`.
public struct ObservedTimes: Sendable {
    /// Times outside are taken for a wrong clock.
    public let plausible: ClosedRange<Timestamp>
    /// The newest plausible time.
    public private(set) var newest: Timestamp?
    public private(set) var futureCount = 0
    public private(set) var pastCount = 0
    private var farthestFuture: Timestamp
    private var farthestPast: Timestamp

    public init(plausible: ClosedRange<Timestamp>) {
        self.plausible = plausible
        farthestFuture = plausible.upperBound
        farthestPast = plausible.lowerBound
    }

    public mutating func add(_ time: Timestamp) {
        if time > plausible.upperBound {
            futureCount += 1
            farthestFuture = max(farthestFuture, time)
        } else if time < plausible.lowerBound {
            pastCount += 1
            farthestPast = min(farthestPast, time)
        } else if newest.map({ time > $0 }) ?? true {
            newest = time
        }
    }

    /// What was implausible, as seen at a moment; nil when nothing was.
    func skew(of source: EventTimeSource, at wall: Timestamp) -> ClockSkew? {
        guard futureCount > 0 || pastCount > 0 else { return nil }
        return ClockSkew(
            source: source, futureSamples: futureCount, ahead: futureCount > 0 ? farthestFuture - wall : .zero,
            pastSamples: pastCount, behind: pastCount > 0 ? wall - farthestPast : .zero)
    }
}

/// Samples of one source whose times cannot be right, or are too old to wait for. They are stored like any others; they
/// only have no say in when windows close.
public struct ClockSkew: Hashable, Sendable {
    public let source: EventTimeSource
    /// Samples further ahead than `WatermarkSettings.maximumAhead`: the source's clock is wrong.
    public let futureSamples: Int
    /// How far the farthest of them is ahead of the wall clock.
    public let ahead: Duration
    /// Samples further behind than allowed: a wrong clock, or a spool that is sent after a long outage.
    public let pastSamples: Int
    public let behind: Duration
}

extension ClockSkew: CustomStringConvertible {
    public var description: String {
        var parts: [String] = []
        if futureSamples > 0 { parts.append("\(futureSamples) samples up to \(ahead.shortText) in the future") }
        if pastSamples > 0 { parts.append("\(pastSamples) samples up to \(behind.shortText) in the past") }
        return "\(source): \(parts.joined(separator: ", "))"
    }
}
