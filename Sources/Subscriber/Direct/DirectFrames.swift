internal import Glibc
internal import MetricModel
internal import NIOCore

/// Cuts the byte stream of one direct connection into records, and into lines where there is no record around them.
/// `DirectRecordHeader` draws the format. A value of the connection's task; it never holds much more than one record.
struct DirectFrames {
    enum Frame: Equatable {
        case record(DirectRecordHeader, text: ByteBuffer)
        /// Whole lines outside of records, as a person writes them with `nc`.
        case lines(ByteBuffer)
    }

    private let limits: DirectLimits
    private var buffer = ByteBuffer()
    /// Of the record whose text is arriving.
    private var header: DirectRecordHeader?
    /// How much of the buffer, from the reader on, is known to hold no line feed.
    private var searchedBytes = 0

    init(limits: DirectLimits) {
        self.limits = limits
    }

    /// What is held of a record or line that has not arrived as a whole.
    var pendingBytes: Int { buffer.readableBytes }

    /// Whether the stream may end here: between records and lines.
    var isBetweenRecords: Bool { header == nil && buffer.readableBytes == 0 }

    mutating func receive(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            // The bytes as they came, without a copy.
            buffer = bytes
        } else {
            buffer.discardReadBytes()
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// The next record or lines; nil when the rest has yet to arrive.
    ///
    /// - Throws: ``DirectFrameError``; the stream cannot be read any further.
    mutating func next() throws(DirectFrameError) -> Frame? {
        while true {
            if let header {
                guard let text = buffer.readSlice(length: header.byteCount) else { return nil }
                self.header = nil
                return .record(header, text: text)
            }
            guard buffer.readableBytes > 0 else { return nil }
            let begins = buffer.withUnsafeReadableBytes { DirectRecordHeader.begins($0) }
            guard begins else { return try lines() }
            guard let line = try readLine(limit: DirectRecordHeader.maximumBytes, name: .lineBytes) else { return nil }
            let header: DirectRecordHeader
            do {
                header = try line.withUnsafeReadableBytes { (bytes) throws(DirectRecordError) in
                    try DirectRecordHeader(parsing: bytes)
                }
            } catch {
                throw .header(error)
            }
            guard header.byteCount <= limits.recordBytes else {
                throw .limit(.recordBytes, bytes: header.byteCount, maximum: limits.recordBytes)
            }
            self.header = header
        }
    }

    /// All whole lines up to the next record, or to the end of what has arrived.
    private mutating func lines() throws(DirectFrameError) -> Frame? {
        var length = 0
        buffer.withUnsafeReadableBytes { bytes in
            length = min(searchedBytes, bytes.count)
            var end = 0
            while let feed = Self.lineFeed(in: bytes, from: max(length, end)) {
                end = feed + 1
                let rest = UnsafeRawBufferPointer(rebasing: bytes[end...])
                if rest.isEmpty || DirectRecordHeader.begins(rest) { break }
            }
            length = end
        }
        guard length > 0 else {
            searchedBytes = buffer.readableBytes
            guard buffer.readableBytes <= limits.lineBytes else {
                throw .limit(.lineBytes, bytes: buffer.readableBytes, maximum: limits.lineBytes)
            }
            return nil
        }
        searchedBytes = 0
        return buffer.readSlice(length: length).map { .lines($0) }
    }

    /// One line without its line feed.
    private mutating func readLine(
        limit: Int, name: DirectLimits.Name
    ) throws(DirectFrameError) -> ByteBuffer? {
        let feed = buffer.withUnsafeReadableBytes { Self.lineFeed(in: $0, from: 0) }
        guard feed ?? buffer.readableBytes < limit else {
            throw .limit(name, bytes: feed ?? buffer.readableBytes, maximum: limit)
        }
        guard let feed, let line = buffer.readSlice(length: feed) else { return nil }
        buffer.moveReaderIndex(forwardBy: 1)
        return line
    }

    private static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, CInt(UInt8(ascii: "\n")), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}

/// Why a direct connection cannot be read any further.
enum DirectFrameError: Error, Equatable, CustomStringConvertible {
    case header(DirectRecordError)
    case topic(String)
    case limit(DirectLimits.Name, bytes: Int, maximum: Int)

    var description: String {
        switch self {
        case .header(let error): "\(error)"
        case .topic(let reason): reason
        case .limit(let name, let bytes, let maximum):
            "it sent \(bytes) bytes where \(maximum) are the most (\(name.rawValue))"
        }
    }
}
