/// What one rule has done since the writer was opened, and where it stands.
public struct RuleStatistics: Hashable, Sendable {
    /// Windows that were evaluated and emitted for the first time.
    public var emittedWindows: Int64 = 0
    /// Windows that were emitted again, because late samples changed them.
    public var revisedWindows: Int64 = 0
    /// Samples that came after one of their windows had closed.
    public var lateSamples: Int64 = 0
    /// Samples older than the oldest window that may still be evaluated.
    public var tooOldSamples: Int64 = 0
    /// Windows that have samples and were not evaluated yet.
    public var openWindows = 0
    /// Windows that were evaluated, and are kept for late samples.
    public var closedWindows = 0
    /// Windows that have to be evaluated now.
    public var dueWindows = 0
    /// Windows that gave way before they were evaluated, because as many are held as may be.
    public var abandonedWindows = 0
}
