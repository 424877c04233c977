public import RecordBatch

/// Where the segments of a log begin: the places that clients of the first hour may ask for.
extension Log {
    public struct SegmentStart: Hashable, Sendable {
        /// The first offset of the segment that can be read.
        public let offset: Offset
        /// The largest timestamp of the segment's records (milliseconds); nil when none has one.
        public let largestTimestamp: Int64?
    }

    /// The segments from which something can be read, the oldest first. Reads no files.
    public var segmentStarts: [SegmentStart] {
        var starts = sealed[sealed.firstIndex(endingAfter: logStartOffset)...].map { segment in
            SegmentStart(
                offset: max(segment.baseOffset, logStartOffset), largestTimestamp: segment.largestTimestamp)
        }
        if active.nextOffset > max(active.baseOffset, logStartOffset) {
            starts.append(
                SegmentStart(
                    offset: max(active.baseOffset, logStartOffset), largestTimestamp: activeLargestTimestamp))
        }
        return starts
    }
}
