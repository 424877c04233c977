internal import CZstd
internal import NIOCore

/// Zstandard frames (RFC 8878) by libzstd, at its default level; one or more frames are read.
enum ZstdCodec {
    /// What frames begin with, little-endian: those with content, and those to be skipped, whose last four bits are free.
    private static let magic: UInt32 = 0xFD2F_B528
    private static let skippableMagic: UInt32 = 0x184D_2A50

    private static let readers = ContextPool<Reader>(maximumIdle: 4)
    private static let writers = ContextPool<Writer>(maximumIdle: 4)

    /// The largest window (as a power of two) that a frame may ask memory for: 8 MiB, which RFC 8878 recommends to
    /// support, or the caller's limit if that is larger, up to libzstd's own 128 MiB.
    private static func maximumWindowLog(for limit: Int) -> Int32 {
        min(27, max(23, Int32(Int.bitWidth - max(1, limit - 1).leadingZeroBitCount)))
    }

    static func decompress(_ input: UnsafeRawBufferPointer, into sink: inout DecompressionSink) throws(RecordBatchError)
    {
        guard let reader = readers.borrow() ?? Reader() else { throw sink.damaged("out of memory") }
        defer { readers.giveBack(reader) }
        ZSTD_DCtx_reset(reader.context, ZSTD_reset_session_only)
        ZSTD_DCtx_setParameter(reader.context, ZSTD_d_windowLogMax, maximumWindowLog(for: sink.limit))
        var source = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var hint = 0
        while true {
            if hint == 0 { try requireFrame(input, at: source.pos, sink) }
            var isFull = false
            try sink.offer { (room) throws(RecordBatchError) in
                var target = ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
                hint = ZSTD_decompressStream(reader.context, &target, &source)
                isFull = target.pos == target.size
                return target.pos
            }
            guard ZSTD_isError(hint) == 0 else { throw sink.damaged(String(cString: ZSTD_getErrorName(hint))) }
            if source.pos == source.size {
                if hint == 0 { return }
                if !isFull { throw sink.damaged("its bytes end early") }
            }
        }
    }

    /// Libraries read the frames of versions before the standard too, and take for these whatever memory they ask for: the
    /// limit of the window does not count there.
    private static func requireFrame(
        _ input: UnsafeRawBufferPointer, at position: Int, _ sink: borrowing DecompressionSink
    ) throws(RecordBatchError) {
        guard input.count - position >= 4 else { return }
        let start = input.loadUnaligned(fromByteOffset: position, as: UInt32.self).littleEndian
        guard start == magic || start & ~0xF == skippableMagic else {
            throw sink.damaged("no frame begins where one should")
        }
    }

    static func compress(_ input: UnsafeRawBufferPointer, into output: inout ByteBuffer) throws(RecordBatchError) {
        guard let writer = writers.borrow() ?? Writer() else {
            throw .compressionFailed(.zstd, reason: "out of memory")
        }
        defer { writers.giveBack(writer) }
        var result = 0
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: ZSTD_compressBound(input.count)) { room in
            result = ZSTD_compress2(writer.context, room.baseAddress, room.count, input.baseAddress, input.count)
            return ZSTD_isError(result) == 0 ? result : 0
        }
        guard ZSTD_isError(result) == 0 else {
            throw .compressionFailed(.zstd, reason: String(cString: ZSTD_getErrorName(result)))
        }
    }

    /// A decompression context of libzstd.
    private final class Reader {
        let context: OpaquePointer

        init?() {
            guard let context = ZSTD_createDCtx() else { return nil }
            self.context = context
        }

        deinit {
            ZSTD_freeDCtx(context)
        }
    }

    /// A compression context of libzstd.
    private final class Writer {
        let context: OpaquePointer

        init?() {
            guard let context = ZSTD_createCCtx() else { return nil }
            self.context = context
        }

        deinit {
            ZSTD_freeCCtx(context)
        }
    }
}
