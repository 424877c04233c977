internal import NIOCore
internal import RecordBatch

/// What need not be checked again, because it lies before the recovery point and its indexes fit it.
extension LogRecovery {
    /// A sealed segment that need not be checked again; nil when its indexes do not fit it.
    func trustedSegment(_ name: SegmentName, before bound: Offset) throws(LogError) -> SealedSegment? {
        let byteCount = try directory.open(name.log, .read).size()
        let segment = try SealedSegment(
            name: name, byteCount: byteCount, nextOffset: bound, largestTimestamp: nil
        ).open(in: directory)
        guard let offsetIndex = segment.offsetIndex, try offsetIndex.size() % OffsetIndexEntry.byteCount == 0,
            let timeIndex = try directory.openIfPresent(name.timeIndex),
            try timeIndex.size() % TimeIndexEntry.byteCount == 0
        else { return nil }
        let start = try segment.position(for: Offset(.max))
        var tailTimestamp: Int64 = -1
        let end = try walk(segment.log, from: start, to: byteCount) {
            if $0.recordCount > 0 { tailTimestamp = max(tailTimestamp, $0.maxTimestamp) }
        }
        guard let end, end <= bound, let largest = try largestTimestamp(of: segment, timeIndex),
            largest >= tailTimestamp
        else { return nil }
        return SealedSegment(
            name: name, byteCount: byteCount, nextOffset: end, largestTimestamp: largest < 0 ? nil : largest)
    }

    /// The largest timestamp that a segment's time index ends with, -1 when it has no entry; nil when the batch that the
    /// entry names does not bear it out.
    private func largestTimestamp(of segment: OpenSegment, _ timeIndex: File) throws(LogError) -> Int64? {
        let size = try timeIndex.size()
        guard size > 0 else { return -1 }
        let bytes = try timeIndex.read(count: TimeIndexEntry.byteCount, at: size - TimeIndexEntry.byteCount)
        guard let entry = SegmentIndex.decodeTimes(bytes)?.first else { return nil }
        let offset = segment.baseOffset.advanced(by: Int64(entry.relativeOffset))
        let reader = BatchReader(segment.log, end: segment.byteCount, windowBytes: BatchReader.narrowWindowBytes)
        var position = try segment.position(for: offset)
        while position < segment.byteCount, case .success(let header) = try reader.header(at: position) {
            if header.lastOffset >= offset {
                return header.lastOffset == offset && header.maxTimestamp == entry.timestamp ? entry.timestamp : nil
            }
            position += header.totalByteCount
        }
        return nil
    }

    /// Walks the headers from an index's last entry to the end.
    ///
    /// - Returns: the offset after the last batch; nil when the file does not consist of batches with increasing
    ///   offsets, or the index lacks an entry.
    private func walk(
        _ file: File, from start: Int, to end: Int, _ visit: (RecordBatchHeader) -> Void
    ) throws(LogError) -> Offset? {
        let reader = BatchReader(file, end: end, windowBytes: BatchReader.narrowWindowBytes)
        var position = start
        var nextOffset: Offset?
        while position < reader.end {
            guard case .success(let header) = try reader.header(at: position),
                header.baseOffset >= nextOffset ?? header.baseOffset,
                position == start || position - start <= configuration.indexIntervalBytes
            else { return nil }
            visit(header)
            nextOffset = header.nextOffset
            position += header.totalByteCount
        }
        return nextOffset
    }

    /// The part of the last segment that lies before the recovery point; nil when the files do not fit it.
    func trustedPart(of name: SegmentName, _ point: RecoveryPoint) throws(LogError) -> SegmentScan? {
        guard point.segment == name.baseOffset, point.position > 0 else { return nil }
        let file = try directory.open(name.log, .readWrite)
        let size = try file.size()
        guard size >= point.position, let (offsets, times) = try indexEntries(name),
            offsets.count >= point.offsetEntries, times.count >= point.timeEntries,
            var index = SegmentIndex(
                baseOffset: name.baseOffset, intervalBytes: configuration.indexIntervalBytes,
                offsets: Array(offsets.prefix(point.offsetEntries)), times: Array(times.prefix(point.timeEntries)),
                logBytes: point.position)
        else { return nil }
        let start = index.position(for: Offset(.max))
        guard
            try walk(file, from: start, to: point.position, { index.resume(over: $0, baseOffset: $0.baseOffset) })
                == point.offset
        else { return nil }
        return SegmentScan(
            BatchReader(file, end: size), bound: nil, position: point.position, nextOffset: point.offset, index: index)
    }

    /// The entries of a segment's index files; nil when one is missing or ends within an entry.
    func indexEntries(
        _ name: SegmentName
    ) throws(LogError) -> (offsets: [OffsetIndexEntry], times: [TimeIndexEntry])? {
        guard let offsetBytes = try content(name.offsetIndex), let timeBytes = try content(name.timeIndex),
            let offsets = SegmentIndex.decodeOffsets(offsetBytes), let times = SegmentIndex.decodeTimes(timeBytes)
        else { return nil }
        return (offsets, times)
    }

    func content(_ name: String) throws(LogError) -> ByteBuffer? {
        guard let file = try directory.openIfPresent(name) else { return nil }
        return try file.read(count: try file.size(), at: 0)
    }
}
