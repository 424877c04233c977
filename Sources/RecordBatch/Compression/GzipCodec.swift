internal import CZlib
internal import NIOCore

/// gzip (RFC 1952) by zlib, one or more members after each other.
enum GzipCodec {
    private static let inflaters = ContextPool<Inflater>(maximumIdle: 4)
    private static let deflaters = ContextPool<Deflater>(maximumIdle: 2)

    /// 15 bits of window, and 16 for gzip's header and trailer.
    private static let gzipWindowBits: Int32 = 15 + 16

    static func decompress(_ input: UnsafeRawBufferPointer, into sink: inout DecompressionSink) throws(RecordBatchError)
    {
        guard let inflater = inflaters.borrow() ?? Inflater() else { throw sink.damaged("out of memory") }
        defer { inflaters.giveBack(inflater) }
        inflateReset(inflater.stream)
        inflater.stream.setInput(input)
        defer { inflater.stream.forgetBuffers() }
        while true {
            var status = Z_OK
            var isFull = false
            try sink.offer { (room) throws(RecordBatchError) in
                let filled = inflater.stream.setOutput(room)
                status = inflate(inflater.stream, Z_NO_FLUSH)
                isFull = inflater.stream.pointee.avail_out == 0
                return filled - Int(inflater.stream.pointee.avail_out)
            }
            switch status {
            case Z_STREAM_END:
                if inflater.stream.pointee.avail_in == 0 { return }
                inflateReset(inflater.stream)
            case Z_OK, Z_BUF_ERROR:
                if inflater.stream.pointee.avail_in == 0, !isFull { throw sink.damaged("its bytes end early") }
            default:
                throw sink.damaged(inflater.stream.pointee.msg.map { String(cString: $0) } ?? "zlib error \(status)")
            }
        }
    }

    static func compress(_ input: UnsafeRawBufferPointer, into output: inout ByteBuffer) throws(RecordBatchError) {
        guard let deflater = deflaters.borrow() ?? Deflater() else {
            throw .compressionFailed(.gzip, reason: "out of memory")
        }
        defer { deflaters.giveBack(deflater) }
        let stream = deflater.stream
        deflateReset(stream)
        stream.setInput(input)
        defer { stream.forgetBuffers() }
        let bound = Int(deflateBound(stream, UInt(input.count)))
        var status = Z_OK
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: bound) { room in
            let filled = stream.setOutput(room)
            status = deflate(stream, Z_FINISH)
            return filled - Int(stream.pointee.avail_out)
        }
        guard status == Z_STREAM_END else { throw .compressionFailed(.gzip, reason: "zlib error \(status)") }
    }

    /// An inflating stream. zlib's state points back at the stream, so it has an address of its own.
    private final class Inflater {
        let stream: UnsafeMutablePointer<z_stream>

        init?() {
            stream = .allocate(capacity: 1)
            stream.initialize(to: z_stream())
            guard
                inflateInit2_(stream, gzipWindowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
            else {
                stream.deallocate()
                return nil
            }
        }

        deinit {
            inflateEnd(stream)
            stream.deallocate()
        }
    }

    /// A deflating stream of zlib's default level.
    private final class Deflater {
        let stream: UnsafeMutablePointer<z_stream>
        /// zlib's default for how much memory the match table takes.
        private static let memoryLevel: Int32 = 8

        init?() {
            stream = .allocate(capacity: 1)
            stream.initialize(to: z_stream())
            let status = deflateInit2_(
                stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzipWindowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY,
                ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
            guard status == Z_OK else {
                stream.deallocate()
                return nil
            }
        }

        deinit {
            deflateEnd(stream)
            stream.deallocate()
        }
    }
}

extension UnsafeMutablePointer<z_stream> {
    /// zlib counts in 32 bits; a batch is never longer than 2 GiB.
    fileprivate func setInput(_ input: UnsafeRawBufferPointer) {
        pointee.next_in = UnsafeMutablePointer<UInt8>(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        pointee.avail_in = UInt32(clamping: input.count)
    }

    /// - Returns: how many bytes the stream may fill.
    fileprivate func setOutput(_ room: UnsafeMutableRawBufferPointer) -> Int {
        pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        pointee.avail_out = UInt32(clamping: room.count)
        return Int(pointee.avail_out)
    }

    fileprivate func forgetBuffers() {
        pointee.next_in = nil
        pointee.avail_in = 0
        pointee.next_out = nil
        pointee.avail_out = 0
    }
}
