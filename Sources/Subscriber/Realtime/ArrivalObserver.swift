internal import MetricModel
internal import SeriesStore

/// Sees samples the moment they are decoded, before they are committed: what the mode `realtime` adds.
///
/// Its methods are called in the isolation of the `Intake`, which waits for them: take what is of interest and return.
protocol ArrivalObserver: Sendable {
    /// Samples of a partition have been added to a head: its samples from `firstSample` on, and its new series from
    /// `firstSeries` on. Records that an agent sent twice are not among them; a sample whose series has one at that timestamp
    /// already may be.
    ///
    /// - Parameter plausible: the times that are not taken for a wrong clock's.
    func arrived(
        in head: borrowing Head, samplesFrom firstSample: Int, seriesFrom firstSeries: Int, of source: SourcePartition,
        plausible: ClosedRange<Timestamp>)

    /// These partitions are read from now on. `stored` is where alerts stand in the database, of all partitions.
    func assigned(_ partitions: [SourcePartition], stored: [StoredAlert])

    /// Others read these partitions from now on; what came of them is stored.
    func unassigned(_ partitions: [SourcePartition])

    /// What was seen and not stored was dropped, and is going to be seen again from where the database is.
    func restarted(from stored: [StoredAlert])

    /// These series get new references, should samples of them come; nil: all.
    func seriesForgotten(_ references: Set<SeriesReference>?)

    /// Every source that is heard has sent its samples up to here.
    func eventTimeAdvanced(to eventTime: Timestamp)

    /// The head is going to be committed: what was learned from its samples goes with it.
    func record(in head: inout Head)
}
