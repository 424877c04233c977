/// How a log cuts itself into segments and indexes them. The defaults are Kafka's.
public struct LogConfiguration: Hashable, Sendable {
    /// A segment is closed before it grows beyond this many bytes (a larger batch gets a segment of its own). Positions
    /// in indexes are 32 bits wide, so 2 GiB is the most.
    public var segmentBytes: Int {
        didSet { segmentBytes = Self.clamped(segmentBytes) }
    }
    /// A segment is closed when a batch arrives whose timestamp is this much later than the segment's first; nil for
    /// never.
    public var segmentAge: Duration?
    /// The most by which `segmentAge` is shortened, a different share for each segment, so that logs which began together
    /// do not all close their segments at once.
    public var segmentJitter: Duration
    /// Bytes of batches between two entries of the indexes.
    public var indexIntervalBytes: Int
    /// Idempotent producers that are remembered; the one unheard of for longest is forgotten first.
    public var maximumProducers = 2_000
    /// A segment is closed when one of its index files has this many bytes.
    public var indexBytes: Int

    public init(
        segmentBytes: Int = 1 << 30, segmentAge: Duration? = .seconds(7 * 24 * 3600), segmentJitter: Duration = .zero,
        indexIntervalBytes: Int = 4096, indexBytes: Int = 10 << 20
    ) {
        self.segmentBytes = Self.clamped(segmentBytes)
        self.segmentAge = segmentAge
        self.segmentJitter = segmentJitter
        self.indexIntervalBytes = indexIntervalBytes
        self.indexBytes = indexBytes
    }

    private static func clamped(_ bytes: Int) -> Int {
        max(1, min(bytes, Int(Int32.max)))
    }

    /// `segmentAge` in milliseconds, the unit of records' timestamps, less the jitter of one segment.
    ///
    /// - Parameter seed: any number that differs from segment to segment.
    func segmentAgeMilliseconds(jitteredBy seed: UInt64) -> Int64? {
        guard let segmentAge else { return nil }
        let age = Self.milliseconds(segmentAge)
        let jitter = min(age, Self.milliseconds(segmentJitter))
        return jitter <= 0 ? age : age - Int64(seed % UInt64(jitter))
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        return overflow ? .max : whole + attoseconds / 1_000_000_000_000_000
    }
}
