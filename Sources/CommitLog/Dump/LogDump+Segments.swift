internal import NIOCore
internal import RecordBatch

/// A segment's log file, batch by batch.
extension LogDump {
    func dump(
        _ name: SegmentName, _ file: CommitLog.File, _ byteCount: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        let bound = try nextSegment(after: name)
        let reader = BatchReader(file, end: byteCount)
        var scan = SegmentScan(
            file, byteCount: byteCount, baseOffset: name.baseOffset, bound: bound, intervalBytes: .max)
        while true {
            let damage = try scan.run { (header, position) throws(LogError) in
                visit(.batch(Batch(position: position, header: header)))
                if includesRecords { try dumpRecords(header, file, position, visit) }
            }
            guard let damage else { return }
            let resume = try scan.resume(after: damage)
            let isTorn = damage.isTorn && resume == nil && bound == nil
            visit(
                .damage(
                    Damage(
                        position: scan.position, byteCount: (resume ?? byteCount) - scan.position,
                        reason: isTorn
                            ? "a write was cut short, or is under way: \(damage.reason)" : damage.reason)))
            guard let resume, case .success(let header) = try reader.header(at: resume) else { return }
            scan = SegmentScan(
                reader, bound: bound, position: resume, nextOffset: header.baseOffset,
                index: SegmentIndex(baseOffset: name.baseOffset, intervalBytes: .max))
        }
    }

    private func dumpRecords(
        _ header: RecordBatchHeader, _ file: CommitLog.File, _ position: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        let bytes = try file.read(count: header.totalByteCount, at: position)
        do throws(RecordBatchError) {
            for record in try EncodedBatch(validating: bytes).records() { visit(.record(record)) }
        } catch {
            visit(
                .damage(Damage(position: position, byteCount: header.totalByteCount, reason: error.description)))
        }
    }

    /// The base offset of the segment after this one.
    private func nextSegment(after name: SegmentName) throws(LogError) -> Offset? {
        try directory.names().compactMap { SegmentName(fileName: $0, suffix: SegmentName.logSuffix)?.baseOffset }
            .filter { $0 > name.baseOffset }.min()
    }
}
