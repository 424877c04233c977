internal import NIOCore

/// Limits on what one batch from a peer or a disk may make us do.
public enum RecordBatchLimits {
    /// Bytes that the records of one batch may decompress to, where the caller says nothing else.
    public static let maximumDecompressedBytes = 64 << 20
    /// Bytes of the smallest record: seven fields of one byte each.
    static let minimumRecordBytes = 7
}

extension EncodedBatch {
    /// The batch's bytes after the header: records, compressed as `header.compression` says.
    var payload: ByteBuffer {
        var payload = bytes
        payload.moveReaderIndex(forwardBy: RecordBatchHeader.byteCount)
        return payload
    }

    private func codec() throws(RecordBatchError) -> CompressionCodec {
        guard let codec = header.compression else { throw .unknownCompression(UInt8(header.attributes & 0b111)) }
        return codec
    }

    /// Decodes all records. Keys, values and header values are slices of the batch, or of its decompressed bytes.
    ///
    /// - Parameter maximumDecompressedBytes: more than this is an error, so that a small batch cannot fill the memory.
    public func records(
        maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes
    ) throws(RecordBatchError) -> [Record] {
        let codec = try codec()
        var decoded = payload
        if codec != .none {
            decoded = ByteBuffer()
            try payload.withUnsafeReadableBytes { (compressed) throws(RecordBatchError) in
                try Decompression.decompress(
                    compressed, with: codec, into: &decoded, maximumBytes: maximumDecompressedBytes)
            }
        }
        return try decoded.withUnsafeReadableBytes { (raw) throws(RecordBatchError) in
            var records: [Record] = []
            records.reserveCapacity(min(Int(header.recordCount), raw.count / RecordBatchLimits.minimumRecordBytes))
            var walk = RecordWalk(header: header, records: raw)
            let slices = Slices(of: decoded, at: raw.baseAddress)
            while let view = try walk.next() {
                records.append(slices.record(view))
            }
            return records
        }
    }

    /// Calls `body` with each record in turn. Nothing is allocated per record; a compressed batch is decompressed to
    /// memory that is used again for later batches. Records before a malformed one have been visited when it throws.
    ///
    /// - Parameter maximumDecompressedBytes: more than this is an error, so that a small batch cannot fill the memory.
    /// - Throws: `RecordBatchError`, or what `body` throws.
    public func forEachRecord(
        maximumDecompressedBytes: Int = RecordBatchLimits.maximumDecompressedBytes,
        _ body: (RecordView) throws -> Void
    ) throws {
        let codec = try codec()
        try payload.withUnsafeReadableBytes { stored in
            guard codec != .none else { return try visit(stored, body) }
            try Decompression.withDecompressed(stored, with: codec, maximumBytes: maximumDecompressedBytes) {
                try visit($0, body)
            }
        }
    }

    private func visit(_ records: UnsafeRawBufferPointer, _ body: (RecordView) throws -> Void) throws {
        var walk = RecordWalk(header: header, records: records)
        while let view = try walk.next() {
            try body(view)
        }
    }
}

/// Turns views into slices of the buffer that they look at.
private struct Slices {
    let buffer: ByteBuffer
    let base: UnsafeRawPointer?

    init(of buffer: ByteBuffer, at base: UnsafeRawPointer?) {
        self.buffer = buffer
        self.base = base
    }

    func record(_ view: RecordView) -> Record {
        Record(
            offset: view.offset, timestamp: view.timestamp, key: slice(view.key), value: slice(view.value),
            headers: view.headers.count == 0
                ? []
                : view.headers.map {
                    RecordHeader(key: String(decoding: $0.key, as: UTF8.self), value: slice($0.value))
                }
        )
    }

    private func slice(_ view: UnsafeRawBufferPointer?) -> ByteBuffer? {
        guard let view, let start = view.baseAddress, let base else { return nil }
        return buffer.getSlice(at: buffer.readerIndex + (start - base), length: view.count)
    }
}
