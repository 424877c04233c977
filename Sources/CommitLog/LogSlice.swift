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
        case active(File, position: Int, end: Int)
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

    /// Bytes read beyond what is wanted, when the wanted batch begins after the indexed one.
    private static let lead = 4096

    /// Reads whole batches from the disk: as many as fit into the maximum, and always at least one, if there is one
    /// before the slice's upper offset. The first may begin before `offset`, as Kafka's fetch responses may.
    ///
    /// - Parameter verifyingChecksums: whether every batch is checked, as bytes should be that were written by an earlier
    ///   process. A damaged first batch is an error; one further on ends what is read.
    public func read(verifyingChecksums: Bool = false) throws(LogError) -> ByteBuffer {
        switch source {
        case .nothing:
            return ByteBuffer()
        case .active(let file, let position, let end):
            return try read(file, from: position, end: end, verifyingChecksums)
        case .sealed(let segment):
            return try read(
                segment.log, from: try segment.position(for: offset), end: segment.byteCount, verifyingChecksums)
        }
    }

    private func read(
        _ file: File, from start: Int, end: Int, _ verifyingChecksums: Bool
    ) throws(LogError) -> ByteBuffer {
        var chunk = Chunk(file: file, end: end)
        var position = start
        while true {
            guard position < end else { return ByteBuffer() }
            if !chunk.has(RecordBatchHeader.byteCount, at: position) {
                try chunk.load(at: position, count: max(maximumBytes.addingOrMax(Self.lead), Self.lead))
            }
            let header = try chunk.header(at: position)
            if header.lastOffset >= offset { break }
            position += header.totalByteCount
        }
        var next = position
        while next < end {
            if !chunk.has(RecordBatchHeader.byteCount, at: next) { break }
            let header = try chunk.header(at: next)
            // An offset that is damaged looks like one beyond the end, so a batch is checked before that is believed.
            let isBeyond = upTo.map { header.lastOffset >= $0 } ?? false
            if isBeyond, !verifyingChecksums || next > position { break }
            if next == position, !chunk.has(header.totalByteCount, at: next) {
                guard header.totalByteCount <= end - next else { throw chunk.corrupt(next, "it is cut off") }
                try chunk.load(at: next, count: max(header.totalByteCount, maximumBytes))
            }
            let size = next + header.totalByteCount - position
            guard chunk.has(header.totalByteCount, at: next), next == position || size <= maximumBytes else { break }
            if verifyingChecksums, let damage = chunk.damage(of: header, at: next) {
                guard next == position else { break }
                throw chunk.corrupt(next, damage)
            }
            if isBeyond { break }
            next += header.totalByteCount
        }
        return chunk.slice(from: position, to: next)
    }
}

/// The part of a file that a read has in memory.
private struct Chunk {
    let file: File
    let end: Int
    private var start = 0
    private var buffer = ByteBuffer()

    init(file: File, end: Int) {
        self.file = file
        self.end = end
    }

    mutating func load(at position: Int, count: Int) throws(LogError) {
        buffer = ByteBuffer()
        start = position
        buffer = try file.read(count: min(count, end - position), at: position)
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
