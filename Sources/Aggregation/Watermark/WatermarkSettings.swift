/// When a source stops holding the watermark back, and which times are taken for a wrong clock.
public struct WatermarkSettings: Hashable, Sendable {
    /// A source from which nothing came for this long no longer holds the watermark back.
    public var idleTimeout: Duration = .seconds(60)
    /// Samples further ahead of the wall clock do not drive the watermark; they are counted as future samples.
    public var maximumAhead: Duration = .seconds(60)
    /// Samples further behind the wall clock do not hold the watermark back, once their partition has been read to its end.
    public var maximumBehind: Duration = .seconds(600)
    /// The same while a partition's backlog is read, where old samples are to be expected.
    public var maximumBacklog: Duration = .seconds(31 * 86_400)
    /// Sources known one by one. Those beyond share one source per partition, whose newest sample counts.
    public var maximumSources = 100_000

    public init() {}
}
