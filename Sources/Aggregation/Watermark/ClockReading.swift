public import MetricModel

/// What the owner's clocks show at one moment. The wall clock judges what others' clocks say; time that has passed is
/// measured with the clock that nobody sets.
public struct ClockReading: Hashable, Sendable {
    public var wall: Timestamp
    /// Since any fixed moment, such as the process' start.
    public var elapsed: Duration

    public init(wall: Timestamp, elapsed: Duration) {
        self.wall = wall
        self.elapsed = elapsed
    }
}
