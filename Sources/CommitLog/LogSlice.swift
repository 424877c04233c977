public import NIOCore
public import RecordBatch

/// A stretch of a log that has been located and can be read without the owner's lock, on any thread, also after the log
/// has grown or its old segments were deleted.
public struct LogSlice: Sendable {
    /// Where the bytes are.
    enum Source: Sendable {
        /// The log ends where the slice begins.
        case nothing
        /// In the active segment, from a batch at or before the wanted one.
        case active(File, position: Int, likelyEnd: Int, end: Int)
        /// In a sealed segment, whose index is on disk.
        case sealed(OpenSegment)
    }

    /// The slice begins with the batch that contains this offset, or the next one after it.
    public let offset: Offset
    let upTo: Offset?
    let maximumBytes: Int
    let source: Source
    /// An upper bound of the bytes that `read` gives, for deciding whether a waiting fetch has enough; exact to within
    /// one index interval and one batch.
    public let estimatedBytes: Int

    /// Whether there is nothing to read because the log ends here.
    public var isEmpty: Bool { estimatedBytes == 0 }

    /// Bytes read at a time to find the wanted batch, which begins after the indexed one: about what lies between two
    /// entries of the index, if batches are small.
    private static let searchBytes = 4 << 10

    /// Reads whole batches from the disk: as many as fit into the maximum, and always at least one, if there is one
    /// before the slice's upper offset. The first may begin before `offset`, as Kafka's fetch responses may.
    ///
    /// - Parameter verifyingChecksums: whether every batch is checked, as bytes should be that were written by an earlier
    ///   process. A damaged first batch is an error; one further on ends what is read.
    public func read(verifyingChecksums: Bool = false) throws(LogError) -> ByteBuffer {
        try read(onlyCached: false, verifyingChecksums)
    }

    /// Reads the same without waiting for a disk, on a thread that must not.
    ///
    /// - Returns: nil if not all of it is in memory.
    public func readCached(verifyingChecksums: Bool = false) throws(LogError) -> ByteBuffer? {
        do throws(LogError) {
            return try read(onlyCached: true, verifyingChecksums)
        } catch {
            if error.wouldWait { return nil }
            throw error
        }
    }

    private func read(onlyCached: Bool, _ verifyingChecksums: Bool) throws(LogError) -> ByteBuffer {
        switch source {
        case .nothing:
            return ByteBuffer()
        case .active(let file, let position, let likelyEnd, let end):
            return try read(
                Chunk(file: file, end: end, onlyCached: onlyCached), from: position, likelyEnd: likelyEnd,
                verifyingChecksums)
        case .sealed(let segment):
            return try read(
                Chunk(file: segment.log, end: segment.byteCount, onlyCached: onlyCached),
                from: try segment.position(for: offset, onlyCached: onlyCached), likelyEnd: segment.byteCount,
                verifyingChecksums)
        }
    }

    private func read(
        _ chunk: consuming Chunk, from start: Int, likelyEnd: Int, _ verifyingChecksums: Bool
    ) throws(LogError) -> ByteBuffer {
        var position = start
        var first: RecordBatchHeader
        repeat {
            guard position < chunk.end else { return ByteBuffer() }
            if !chunk.has(RecordBatchHeader.byteCount, at: position) {
                try chunk.load(at: position, count: Self.searchBytes)
            }
            first = try chunk.header(at: position)
            if first.lastOffset < offset { position += first.totalByteCount }
        } while first.lastOffset < offset
        // An offset that is damaged looks like one beyond the end, so the batch is checked before that is believed.
        let isBeyond = upTo.map { first.lastOffset >= $0 } ?? false
        if isBeyond, !verifyingChecksums { return ByteBuffer() }
        guard first.totalByteCount <= chunk.end - position else { throw chunk.corrupt(position, "it is cut off") }

        let wanted = max(first.totalByteCount, min(maximumBytes, likelyEnd - position))
        if !chunk.has(wanted, at: position) { try chunk.load(at: position, count: wanted) }
        if verifyingChecksums, let damage = chunk.damage(of: first, at: position) {
            throw chunk.corrupt(position, damage)
        }
        if isBeyond { return ByteBuffer() }
        var next = position + first.totalByteCount
        while next < chunk.end, chunk.has(RecordBatchHeader.byteCount, at: next) {
            let header = try chunk.header(at: next)
            if let upTo, header.lastOffset >= upTo { break }
            guard chunk.has(header.totalByteCount, at: next), next + header.totalByteCount - position <= maximumBytes
            else { break }
            if verifyingChecksums, chunk.damage(of: header, at: next) != nil { break }
            next += header.totalByteCount
        }
        return chunk.slice(from: position, to: next)
    }
}

/// The part of a file that a read has in memory.
private struct Chunk {
    let file: File
    /// Where the file's batches end.
    let end: Int
    private let onlyCached: Bool
    private var start = 0
    private var buffer = ByteBuffer()

    init(file: File, end: Int, onlyCached: Bool) {
        self.file = file
        self.end = end
        self.onlyCached = onlyCached
    }

    mutating func load(at position: Int, count: Int) throws(LogError) {
        buffer = ByteBuffer()
        start = position
        buffer = try file.read(count: min(count, end - position), at: position, onlyCached: onlyCached)
        if buffer.readableBytes < min(count, end - position) {
            throw corrupt(position + buffer.readableBytes, "the file has become shorter")
        }
    }

    func has(_ count: Int, at position: Int) -> Bool {
        position >= start && count <= start + buffer.readableBytes - position
    }

    func header(at position: Int) throws(LogError) -> RecordBatchHeader {
        do throws(RecordBatchError) {
            return try RecordBatchHeader(reading: buffer, at: buffer.readerIndex + position - start)
        } catch {
            throw corrupt(position, error.description)
        }
    }

    /// Why the batch at `position`, all of which is in memory, is not what was written; nil if it is.
    func damage(of header: RecordBatchHeader, at position: Int) -> String? {
        let first = position - start + RecordBatchHeader.checksummedFrom
        let end = position - start + header.totalByteCount
        let computed = buffer.withUnsafeReadableBytes { bytes in
            CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[first..<end]))
        }
        guard computed == header.crc else {
            return RecordBatchError.checksumMismatch(stored: header.crc, computed: computed).description
        }
        // No CRC covers the base offset, but the next batch's bears it out.
        let next = position + header.totalByteCount
        if has(RecordBatchHeader.byteCount, at: next), let following = try? self.header(at: next),
            following.baseOffset < header.nextOffset
        {
            return "its base offset \(header.baseOffset) is not before the next batch's, \(following.baseOffset)"
        }
        return nil
    }

    func slice(from first: Int, to last: Int) -> ByteBuffer {
        var slice = buffer
        slice.moveReaderIndex(forwardBy: first - start)
        slice.moveWriterIndex(to: slice.readerIndex + last - first)
        return slice
    }

    func corrupt(_ position: Int, _ reason: String) -> LogError {
        .corrupt(path: file.path, position: position, reason: reason)
    }
}

extension Int {
    func addingOrMax(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
