public import MetricModel

/// How far event time has come: every source that is heard has delivered its samples up to here, as far as one can know.
///
/// The watermark is the smallest of the sources' newest times, and never goes back. A source does not hold it back
///
/// - when nothing came from it for `idleTimeout` (when all are silent, the watermark follows the wall clock at that distance);
/// - when its partition has been read to the end and it is still further behind than `maximumBehind`;
/// - with samples that lie in the future or far in the past: those are reported and otherwise passed over.
///
/// A partition that was just assigned holds it back until it is known what lies in it. The watermark decides *when* a
/// window is first evaluated, never with what result: samples that come later re-open their windows (``WindowLedger``).
///
/// A plain value, owned by whoever reads the partitions. The model is that of T. Akidau et al., "MillWheel" (VLDB 2013) and
/// of Apache Flink's idle sources; sources here are hosts, so that one slow host in a busy partition is waited for.
public struct EventTimeWatermark: Sendable {
    struct Source {
        var newest: Timestamp
        var heard: Duration
    }

    struct Partition {
        /// When it was assigned, or last heard.
        var heard: Duration
        var hasReachedEnd = false
        var hasTimes = false
    }

    public let settings: WatermarkSettings
    /// The watermark as of the last `advance`; nil before anything is known.
    public private(set) var value: Timestamp?
    private var sources: [EventTimeSource: Source] = [:]
    private var partitions: [EventTimeSource.Partition: Partition] = [:]

    /// - Parameter value: where the watermark stood when it was last stored; it does not go back behind that.
    public init(settings: WatermarkSettings = WatermarkSettings(), value: Timestamp? = nil) {
        self.settings = settings
        self.value = value
    }

    /// How many sources are known one by one.
    public var sourceCount: Int { sources.count }

    // MARK: What happens

    /// A partition is going to be read. Until its first samples, its end or the idle timeout, it holds the watermark back.
    public mutating func assign(_ partition: EventTimeSource.Partition, at clock: ClockReading) {
        if partitions[partition] == nil { partitions[partition] = Partition(heard: clock.elapsed) }
    }

    /// A partition is not read any more; its sources are forgotten.
    public mutating func revoke(_ partition: EventTimeSource.Partition) {
        partitions[partition] = nil
        sources = sources.filter { $0.key.partition != partition }
    }

    /// A partition has been read to its end, so that its samples are new ones from now on.
    public mutating func reachedEnd(of partition: EventTimeSource.Partition, at clock: ClockReading) {
        partitions[partition, default: Partition(heard: clock.elapsed)].hasReachedEnd = true
    }

    /// Which sample times are taken for true at this moment.
    public func plausibleTimes(
        of partition: EventTimeSource.Partition, at clock: ClockReading
    ) -> ClosedRange<Timestamp> {
        let isLive = partitions[partition]?.hasReachedEnd ?? false
        let oldest = clock.wall - (isLive ? settings.maximumBehind : settings.maximumBacklog)
        return oldest...(clock.wall + settings.maximumAhead)
    }

    /// A record of a source was read. Records may come in any order.
    ///
    /// - Returns: the samples whose times are not plausible, for the caller to count and to name the source; nil when all are.
    @discardableResult
    public mutating func observe(
        _ times: ObservedTimes, from source: EventTimeSource, at clock: ClockReading
    ) -> ClockSkew? {
        var partition = partitions[source.partition] ?? Partition(heard: clock.elapsed)
        partition.heard = max(partition.heard, clock.elapsed)
        if let newest = times.newest {
            partition.hasTimes = true
            update(source, newest: newest, at: clock)
        }
        partitions[source.partition] = partition
        return times.skew(of: source, at: clock.wall)
    }

    private mutating func update(_ source: EventTimeSource, newest: Timestamp, at clock: ClockReading) {
        var key = source
        if sources[source] == nil, sources.count >= settings.maximumSources {
            key = EventTimeSource(partition: source.partition, instance: "")
        }
        if let known = sources[key] {
            sources[key] = Source(newest: max(known.newest, newest), heard: max(known.heard, clock.elapsed))
        } else {
            sources[key] = Source(newest: newest, heard: clock.elapsed)
        }
    }

    // MARK: What follows

    /// Moves the watermark on as far as it may go now, and forgets sources that have been silent for long.
    ///
    /// - Returns: the watermark; nil as long as nothing is known.
    @discardableResult
    public mutating func advance(at clock: ClockReading) -> Timestamp? {
        let forgotten = clock.elapsed - settings.idleTimeout * 10
        if sources.contains(where: { $0.value.heard < forgotten }) {
            sources = sources.filter { $0.value.heard >= forgotten }
        }
        guard !isHeldByUnknown(at: clock) else { return value }
        if let candidate = slowest(at: clock)?.newest ?? valueInSilence(at: clock) {
            value = value.map { max($0, candidate) } ?? candidate
        }
        return value
    }

    /// The source that holds the watermark back, and how far it has come; nil when none does.
    public func slowestSource(at clock: ClockReading) -> (source: EventTimeSource, newest: Timestamp)? {
        slowest(at: clock).map { ($0.source, $0.newest) }
    }

    private func slowest(at clock: ClockReading) -> (source: EventTimeSource, newest: Timestamp)? {
        var slowest: (source: EventTimeSource, newest: Timestamp)?
        let oldest = clock.wall - settings.maximumBehind
        for (source, state) in sources {
            let isIdle = clock.elapsed - state.heard >= settings.idleTimeout
            let isLive = partitions[source.partition]?.hasReachedEnd ?? false
            if isIdle || (isLive && state.newest < oldest) { continue }
            if slowest.map({ state.newest < $0.newest }) ?? true { slowest = (source, state.newest) }
        }
        return slowest
    }

    /// Whether a partition may hold samples that nobody has seen.
    private func isHeldByUnknown(at clock: ClockReading) -> Bool {
        partitions.values.contains { partition in
            !partition.hasTimes && !partition.hasReachedEnd && clock.elapsed - partition.heard < settings.idleTimeout
        }
    }

    /// Without a source to wait for, event time goes on with the wall clock, so that the last windows close too.
    private func valueInSilence(at clock: ClockReading) -> Timestamp? {
        let heard = (sources.values.map(\.heard) + partitions.values.map(\.heard)).max()
        guard let heard else { return nil }
        if clock.elapsed - heard >= settings.idleTimeout { return clock.wall - settings.idleTimeout }
        // Somebody is heard, but too far behind to be waited for.
        return sources.isEmpty ? nil : clock.wall - settings.maximumBehind
    }
}
