internal import NIOCore
internal import RecordBatch

/// Reads a log file's batches one after the other through one window of memory, however large the batches are. Owned by
/// one recovery or search, on its thread.
final class BatchReader {
    let file: File
    /// Bytes of the file that may be read.
    let end: Int
    private let window: UnsafeMutableRawBufferPointer
    private var windowStart = 0
    private var windowCount = 0

    /// A window for reading whole batches.
    static let wideWindowBytes = 256 << 10
    /// A window for reading a few headers.
    static let narrowWindowBytes = 4 << 10

    /// - Parameter windowBytes: the window's size, where the file has as many bytes.
    init(_ file: File, end: Int, windowBytes: Int = wideWindowBytes) {
        self.file = file
        self.end = end
        window = .allocate(byteCount: max(1, min(windowBytes, end)), alignment: 16)
    }

    deinit {
        window.deallocate()
    }

    /// Up to `count` bytes at `position`, fewer at the end of the file or where the window is smaller; valid until the
    /// next call.
    func bytes(at position: Int, count: Int) throws(LogError) -> UnsafeRawBufferPointer {
        let wanted = max(0, min(count, end - position, window.count))
        if position < windowStart || position + wanted > windowStart + windowCount {
            let room = UnsafeMutableRawBufferPointer(rebasing: window[..<max(0, min(window.count, end - position))])
            windowCount = try file.read(into: room, at: position)
            windowStart = position
        }
        let start = position - windowStart
        return UnsafeRawBufferPointer(rebasing: window[start..<min(start + wanted, windowCount)])
    }

    /// The header of the batch at `position`, or why there is none.
    func header(at position: Int) throws(LogError) -> Result<RecordBatchHeader, RecordBatchError> {
        let bytes = try bytes(at: position, count: RecordBatchHeader.byteCount)
        return Result { () throws(RecordBatchError) in
            let header = try RecordBatchHeader(reading: bytes)
            guard header.totalByteCount <= end - position else {
                throw .truncated(needed: header.totalByteCount, available: end - position)
            }
            return header
        }
    }

    /// The header of the batch at `position`, which was intact before.
    func intactHeader(at position: Int) throws(LogError) -> RecordBatchHeader {
        switch try header(at: position) {
        case .success(let header): return header
        case .failure(let error): throw .corrupt(path: file.path, position: position, reason: error.description)
        }
    }

    /// The CRC-32C of the batch at `position`, whose header has been read.
    func checksum(of header: RecordBatchHeader, at position: Int) throws(LogError) -> UInt32 {
        try checksum(from: position + RecordBatchHeader.checksummedFrom, to: position + header.totalByteCount)
    }

    /// The CRC-32C of a stretch of the file.
    func checksum(from start: Int, to end: Int) throws(LogError) -> UInt32 {
        var checksum: UInt32 = 0
        var next = start
        while next < end {
            let bytes = try bytes(at: next, count: end - next)
            // A file that shrinks meanwhile gives a checksum that does not match.
            if bytes.isEmpty { break }
            checksum = CRC32C.checksum(bytes, continuing: checksum)
            next += bytes.count
        }
        return checksum
    }
}
