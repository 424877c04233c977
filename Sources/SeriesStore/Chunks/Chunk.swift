internal import Aggregation
internal import MetricModel

/// Some samples of one series within one hour, packed. A row of the table `chunk`.
struct Chunk {
    /// Packed chunks are kept below this, so that four of them fit a page of the database.
    static let maximumBytes = 900
    static let maximumCount = 512
    /// The hour that a chunk belongs to is the one-hour window of its samples.
    static let span = Resolution.oneHour

    /// The timestamp of the first sample.
    let first: Timestamp
    /// The timestamp of the last sample.
    let last: Timestamp
    let count: Int
    let bytes: [UInt8]

    /// Packs samples of one hour, sorted, into as few chunks as the limits allow.
    static func pack(_ samples: some RandomAccessCollection<Sample>) -> [Chunk] {
        var chunks: [Chunk] = []
        var rest = samples[...]
        var count = min(rest.count, maximumCount)
        while let first = rest.first {
            let part = rest.prefix(count)
            let bytes = ChunkCodec.encode(part)
            if bytes.count > maximumBytes, count > 1 {
                // Bytes grow about as samples do; somewhat less, so that the next try fits.
                count = max(1, min(count - 1, count * maximumBytes / bytes.count * 15 / 16))
                continue
            }
            chunks.append(
                Chunk(
                    first: first.timestamp, last: part.last?.timestamp ?? first.timestamp, count: part.count,
                    bytes: bytes))
            rest = rest.dropFirst(part.count)
            count = min(rest.count, count)
        }
        return chunks
    }
}
