// One record within a (decompressed) batch. Lengths and counts are zigzag varints.
//
//      length | attributes | timestamp delta | offset delta | key length | key | value length | value | header count |
//      varint |   Int8     |     varlong     |    varint    | varint, -1 null  |  varint, -1 null       |    varint    |
//
//      then per header:  key length varint | key | value length varint, -1 null | value

/// Walks the records of one batch front to back. Lives within one call that keeps the bytes alive.
struct RecordWalk {
    private let header: RecordBatchHeader
    private var cursor: ByteCursor
    private var index = 0

    /// - Parameter records: the batch's bytes after its header, decompressed.
    init(header: RecordBatchHeader, records: UnsafeRawBufferPointer) {
        self.header = header
        self.cursor = ByteCursor(records)
    }

    /// The next record; nil after the last, when no bytes are left over.
    @inline(__always)
    mutating func next() throws(RecordBatchError) -> RecordView? {
        do throws(RecordDamage) {
            guard index < Int(header.recordCount) else {
                if cursor.remaining > 0 { throw .bytesAfterLast }
                return nil
            }
            let view = try record()
            index += 1
            return view
        } catch {
            throw .malformedRecord(index: index, reason: error)
        }
    }

    @inline(__always)
    private mutating func record() throws(RecordDamage) -> RecordView {
        var record = ByteCursor(try cursor.bytes())
        _ = try record.byte()
        let timestampDelta = try record.varlong()
        let offsetDelta = try record.varint()
        let key = try record.nullableBytes()
        let value = try record.nullableBytes()
        let headerCount = Int(try record.varint())
        guard headerCount >= 0 else { throw .negativeLength }
        let headerBytes = UnsafeRawBufferPointer(start: record.position, count: record.remaining)
        for _ in 0..<headerCount {
            _ = try record.bytes()
            _ = try record.nullableBytes()
        }
        guard record.remaining == 0 else { throw .lengthMismatch }
        // Timestamps wrap around, as the writer's deltas do.
        let timestamp = header.baseTimestamp &+ timestampDelta
        let (offset, overflow) = header.baseOffset.rawValue.addingReportingOverflow(Int64(offsetDelta))
        guard !overflow else { throw .offsetOverflow }
        return RecordView(
            offset: Offset(offset), timestamp: header.isLogAppendTime ? header.maxTimestamp : timestamp,
            key: key, value: value, headers: RecordHeaderViews(count: headerCount, bytes: headerBytes))
    }
}
