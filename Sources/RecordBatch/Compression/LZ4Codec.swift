internal import CLZ4
internal import NIOCore

/// LZ4 frames by liblz4: written as Kafka's Java client does (independent blocks of 64 KiB, no content checksum), since
/// that client reads no linked blocks; any frames are read.
enum LZ4Codec {
    private static let readers = ContextPool<Reader>(maximumIdle: 4)
    private static let writers = ContextPool<Writer>(maximumIdle: 4)

    static func decompress(_ input: UnsafeRawBufferPointer, into sink: inout DecompressionSink) throws(RecordBatchError)
    {
        guard let reader = readers.borrow() ?? Reader() else { throw sink.damaged("out of memory") }
        try decompress(input, with: reader, into: &sink)
        // Only after a whole frame: up to liblz4 1.9.4 a reset keeps what remained of a damaged frame's content size,
        // and the next frame would fail for it.
        readers.giveBack(reader)
    }

    private static func decompress(
        _ input: UnsafeRawBufferPointer, with reader: Reader, into sink: inout DecompressionSink
    ) throws(RecordBatchError) {
        LZ4F_resetDecompressionContext(reader.context)
        var rest = input
        while true {
            var hint = 0
            var taken = 0
            var isFull = false
            try sink.offer { (room) throws(RecordBatchError) in
                taken = rest.count
                var filled = room.count
                hint = LZ4F_decompress(reader.context, room.baseAddress, &filled, rest.baseAddress, &taken, nil)
                if LZ4F_isError(hint) != 0 { return 0 }
                isFull = filled == room.count
                return filled
            }
            guard LZ4F_isError(hint) == 0 else { throw sink.damaged(String(cString: LZ4F_getErrorName(hint))) }
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
            if rest.isEmpty {
                if hint == 0 { return }
                if !isFull { throw sink.damaged("its bytes end early") }
            }
        }
    }

    static func compress(_ input: UnsafeRawBufferPointer, into output: inout ByteBuffer) throws(RecordBatchError) {
        guard let writer = writers.borrow() ?? Writer() else {
            throw .compressionFailed(.lz4, reason: "out of memory")
        }
        defer { writers.giveBack(writer) }
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = LZ4F_max64KB
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.autoFlush = 1
        var failure: Int?
        output.writeWithUnsafeMutableBytes(
            minimumWritableBytes: LZ4F_compressFrameBound(input.count, &preferences)
        ) { room in
            var filled = 0
            /// Runs one step in the room that is left; false after a failure.
            func step(_ compress: (UnsafeMutableRawPointer?, Int) -> Int) -> Bool {
                let result = compress(room.baseAddress.map { $0 + filled }, room.count - filled)
                if LZ4F_isError(result) != 0 {
                    failure = result
                    return false
                }
                filled += result
                return true
            }
            let isComplete =
                step { LZ4F_compressBegin(writer.context, $0, $1, &preferences) }
                && step { LZ4F_compressUpdate(writer.context, $0, $1, input.baseAddress, input.count, nil) }
                && step { LZ4F_compressEnd(writer.context, $0, $1, nil) }
            return isComplete ? filled : 0
        }
        if let failure {
            throw .compressionFailed(.lz4, reason: String(cString: LZ4F_getErrorName(failure)))
        }
    }

    /// A decompression context of liblz4.
    private final class Reader {
        let context: OpaquePointer

        init?() {
            var context: OpaquePointer?
            guard LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context
            else { return nil }
            self.context = context
        }

        deinit {
            LZ4F_freeDecompressionContext(context)
        }
    }

    /// A compression context of liblz4.
    private final class Writer {
        let context: OpaquePointer

        init?() {
            var context: OpaquePointer?
            guard LZ4F_isError(LZ4F_createCompressionContext(&context, UInt32(LZ4F_VERSION))) == 0, let context
            else { return nil }
            self.context = context
        }

        deinit {
            LZ4F_freeCompressionContext(context)
        }
    }
}
