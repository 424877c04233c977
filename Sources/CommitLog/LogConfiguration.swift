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
    /// Bytes of batches between two entries of the indexes.
    public var indexIntervalBytes: Int
    /// Idempotent producers that are remembered; the one unheard of for longest is forgotten first.
    public var maximumProducers = 2_000

    public init(
        segmentBytes: Int = 1 << 30, segmentAge: Duration? = .seconds(7 * 24 * 3600), indexIntervalBytes: Int = 4096
    ) {
        self.segmentBytes = Self.clamped(segmentBytes)
        self.segmentAge = segmentAge
        self.indexIntervalBytes = indexIntervalBytes
    }

    private static func clamped(_ bytes: Int) -> Int {
        max(1, min(bytes, Int(Int32.max)))
    }

    /// `segmentAge` in milliseconds, the unit of records' timestamps.
    var segmentAgeMilliseconds: Int64? {
        segmentAge.map { age in
            let (seconds, attoseconds) = age.components
            let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
            return overflow ? .max : whole + attoseconds / 1_000_000_000_000_000
        }
    }
}
