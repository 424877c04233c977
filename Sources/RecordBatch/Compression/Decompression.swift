internal import NIOCore

/// Decompression with a bound: output grows with what the input really yields, never by what it claims, and stops at
/// the caller's limit. Called on any thread.
enum Decompression {
    /// Idle scratch buffers kept for `withDecompressed`, and the largest capacity that is kept.
    private static let scratch = ContextPool<ByteBuffer>(maximumIdle: 4)
    private static let maximumIdleCapacity = 4 << 20

    /// Decompresses into memory that is reused after `body`, which must not keep the bytes.
    static func withDecompressed<Result>(
        _ input: UnsafeRawBufferPointer, with codec: CompressionCodec, maximumBytes: Int,
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) throws -> Result {
        var buffer = scratch.borrow() ?? ByteBuffer()
        buffer.clear()
        defer {
            if buffer.capacity <= maximumIdleCapacity { scratch.giveBack(buffer) }
        }
        try decompress(input, with: codec, into: &buffer, maximumBytes: maximumBytes)
        return try buffer.withUnsafeReadableBytes(body)
    }

    /// Appends the decompressed input to `output`, which must be empty.
    static func decompress(
        _ input: UnsafeRawBufferPointer, with codec: CompressionCodec, into output: inout ByteBuffer, maximumBytes: Int
    ) throws(RecordBatchError) {
        // The sink alone holds the memory while it grows, so that no growth copies it needlessly.
        let memory = output
        output = ByteBuffer()
        var sink = DecompressionSink(
            codec: codec, limit: maximumBytes, inputBytes: input.count, buffer: consume memory)
        defer { output = sink.buffer }
        switch codec {
        case .none: try sink.write(input)
        case .gzip: try GzipCodec.decompress(input, into: &sink)
        case .snappy: try SnappyCodec.decompress(input, into: &sink)
        case .lz4: try LZ4Codec.decompress(input, into: &sink)
        case .zstd: try ZstdCodec.decompress(input, into: &sink)
        }
    }
}

/// Takes a codec's output, a growing stretch at a time. Owned by one decompression.
struct DecompressionSink {
    let codec: CompressionCodec
    let limit: Int
    private(set) var buffer: ByteBuffer
    /// The least room that a codec is offered at a time.
    private static let minimumRoom = 16 << 10

    init(codec: CompressionCodec, limit: Int, inputBytes: Int, buffer: consuming ByteBuffer) {
        self.codec = codec
        // Leaves room for the one byte more that `offer` asks for.
        self.limit = min(max(0, limit), Int(UInt32.max) - 1)
        self.buffer = buffer
        // Records usually shrink to a quarter; more is reserved only once the input has yielded this much.
        self.buffer.reserveCapacity(minimumWritableBytes: min(self.limit, inputBytes.multipliedOrMax(by: 4)))
    }

    var count: Int { buffer.readableBytes }

    /// Offers `body` free room, of at least a byte; it returns how much it has filled.
    mutating func offer(
        _ body: (UnsafeMutableRawBufferPointer) throws(RecordBatchError) -> Int
    ) throws(RecordBatchError) {
        // One byte beyond the limit is offered to tell "exactly the limit" from "more".
        let allowed = limit - buffer.readableBytes + 1
        guard allowed > 0 else { throw .decompressedTooLarge(codec, limit: limit) }
        if buffer.writableBytes < min(allowed, Self.minimumRoom) {
            // Doubles what is there.
            buffer.reserveCapacity(minimumWritableBytes: min(allowed, max(Self.minimumRoom, buffer.readableBytes)))
        }
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 1) { (room) throws(RecordBatchError) in
            try body(UnsafeMutableRawBufferPointer(rebasing: room.prefix(allowed)))
        }
        guard buffer.readableBytes <= limit else { throw .decompressedTooLarge(codec, limit: limit) }
    }

    /// Offers `body` room for exactly `count` bytes, which the caller knows the input can really yield.
    mutating func offer(
        exactly count: Int, _ body: (UnsafeMutableRawBufferPointer) throws(RecordBatchError) -> Int
    ) throws(RecordBatchError) {
        guard count <= limit - buffer.readableBytes else { throw .decompressedTooLarge(codec, limit: limit) }
        buffer.reserveCapacity(minimumWritableBytes: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { (room) throws(RecordBatchError) in
            try body(UnsafeMutableRawBufferPointer(rebasing: room.prefix(count)))
        }
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(RecordBatchError) {
        guard bytes.count <= limit - buffer.readableBytes else { throw .decompressedTooLarge(codec, limit: limit) }
        buffer.writeBytes(bytes)
    }

    func damaged(_ reason: String) -> RecordBatchError {
        .decompressionFailed(codec, reason: reason)
    }
}

extension Int {
    func multipliedOrMax(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
