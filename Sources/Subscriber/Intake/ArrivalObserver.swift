internal import SeriesStore

/// Sees samples the moment they are decoded, before they are committed: what the mode `realtime` adds.
///
/// Records that an agent sent twice are not among them; a sample whose series has one at that timestamp already may be.
protocol ArrivalObserver: Sendable {
    /// Samples have been added to a head: its samples from `firstSample` on, and its new series from `firstSeries` on.
    ///
    /// Called in the isolation of the `Intake`, which waits for it: take what is of interest and return.
    func arrived(in head: borrowing Head, samplesFrom firstSample: Int, seriesFrom firstSeries: Int)
}
