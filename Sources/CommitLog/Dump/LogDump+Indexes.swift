internal import NIOCore
internal import RecordBatch

/// A segment's indexes, each entry checked against the log file.
extension LogDump {
    func dumpOffsets(
        _ name: SegmentName, _ file: CommitLog.File, _ byteCount: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        let log = try logReader(name)
        var previous = OffsetIndexEntry(relativeOffset: -1, position: -1)
        let whole = byteCount - byteCount % OffsetIndexEntry.byteCount
        for entry in SegmentIndex.decodeOffsets(try file.read(count: whole, at: 0)) ?? [] {
            let offset = name.baseOffset.advanced(by: Int64(entry.relativeOffset))
            var fault: String?
            if entry.relativeOffset <= previous.relativeOffset || entry.position <= previous.position {
                fault = "it does not come after the entry before it"
            } else if let log {
                fault = try Self.fault(offset, at: Int(entry.position), in: log)
            }
            visit(
                .indexEntry(IndexEntry(offset: offset, target: .position(Int(entry.position)), fault: fault)))
            previous = entry
        }
        finish(name, hasLog: log != nil, whole, byteCount, visit)
    }

    private static func fault(_ offset: Offset, at position: Int, in log: BatchReader) throws(LogError) -> String? {
        guard position >= 0 else { return "the position is below 0" }
        guard position < log.end else { return "the log ends at \(log.end), before that position" }
        switch try log.header(at: position) {
        case .failure(let error): return "at that position \(error)"
        case .success(let header) where header.lastOffset != offset:
            return "the batch at that position ends at offset \(header.lastOffset)"
        case .success: return nil
        }
    }

    func dumpTimes(
        _ name: SegmentName, _ file: CommitLog.File, _ byteCount: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        let log = try logReader(name)
        var walk = LargestTimestamps()
        var previous: TimeIndexEntry?
        let whole = byteCount - byteCount % TimeIndexEntry.byteCount
        for entry in SegmentIndex.decodeTimes(try file.read(count: whole, at: 0)) ?? [] {
            let offset = name.baseOffset.advanced(by: Int64(entry.relativeOffset))
            var fault: String?
            if let previous,
                entry.timestamp <= previous.timestamp || entry.relativeOffset < previous.relativeOffset
            {
                fault = "it does not come after the entry before it"
            } else if let log {
                fault = try walk.fault(entry.timestamp, upTo: offset, in: log)
            }
            visit(.indexEntry(IndexEntry(offset: offset, target: .timestamp(entry.timestamp), fault: fault)))
            previous = entry
        }
        finish(name, hasLog: log != nil, whole, byteCount, visit)
    }

    private func logReader(_ name: SegmentName) throws(LogError) -> BatchReader? {
        guard let log = try directory.openIfPresent(name.log) else { return nil }
        return BatchReader(log, end: try log.size(), windowBytes: BatchReader.narrowWindowBytes)
    }

    private func finish(
        _ name: SegmentName, hasLog: Bool, _ whole: Int, _ byteCount: Int, _ visit: (Item) -> Void
    ) {
        if !hasLog {
            visit(.damage(Damage(position: 0, byteCount: 0, reason: "\(name.log), which it belongs to, is missing")))
        }
        if whole < byteCount {
            visit(
                .damage(Damage(position: whole, byteCount: byteCount - whole, reason: "the file ends within an entry")))
        }
    }
}

/// Walks a log file's headers once for the entries of its time index.
private struct LargestTimestamps {
    private var position = 0
    private var largest: Int64 = -1
    private var last: RecordBatchHeader?

    /// What the log says against `timestamp` being the largest of the batches up to the one with `offset`, and that
    /// batch's; nil when it is right.
    mutating func fault(_ timestamp: Int64, upTo offset: Offset, in log: BatchReader) throws(LogError) -> String? {
        while position < log.end {
            guard case .success(let header) = try log.header(at: position) else {
                return "the log is damaged at position \(position), before that offset"
            }
            if header.baseOffset > offset { break }
            if header.recordCount > 0 { largest = max(largest, header.maxTimestamp) }
            last = header
            position += header.totalByteCount
        }
        guard let last, last.lastOffset >= offset else { return "the log has no batch with that offset" }
        if largest != timestamp { return "the largest timestamp up to that offset is \(largest)" }
        return last.maxTimestamp == timestamp
            ? nil : "the batch with that offset has the timestamp \(last.maxTimestamp)"
    }
}
