/// What one commit did.
public struct CommitReport: Hashable, Sendable {
    /// Samples that were not there before.
    public var storedSamples = 0
    /// Samples whose series already had one at that timestamp. The first stays.
    public var duplicateSamples = 0
    /// Of these, how many of which series.
    public var duplicatesBySeries: [SeriesReference: Int] = [:]
    /// Samples older than their series' retention.
    public var expiredSamples = 0
    /// Samples of series that a limit refuses.
    public var refusedSamples = 0
    /// What the limits refused, by cause.
    public var overflow: [SeriesOverflow] = []
    public var newSeries = 0
    /// Series of this head that turned out to have no row, because a limit refuses them or all of their samples are too old.
    /// Whoever gave them references may forget these (`Head.forget`), and define the series anew should it come again.
    public var unstoredSeries: [SeriesReference] = []
    /// Window rows written, of all resolutions.
    public var writtenWindows = 0
    public var duration: Duration = .zero
    /// Of it, what finding or making the rows of series took that this process had not met before: a price that is paid once.
    public var seriesDuration: Duration = .zero

    public init() {}
}
