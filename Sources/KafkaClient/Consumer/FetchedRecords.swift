import KafkaProtocol
import NIOCore
import RecordBatch

/// One partition's part of a fetch answer, cut into batches. A value.
struct FetchedRecords {
    /// Intact batches with records at or behind the position, without transaction markers.
    private(set) var batches: [EncodedBatch] = []
    /// Where to go on.
    private(set) var nextOffset: Offset
    /// What is wrong with the batch at `nextOffset`.
    private(set) var damage: String?
    /// The answer ends within the first batch.
    private(set) var isCutShort = false

    init(_ records: ByteBuffer?, from position: Offset) {
        nextOffset = position
        guard var rest = records else { return }
        while rest.readableBytes >= RecordBatchHeader.byteCount {
            do {
                let header = try RecordBatchHeader(reading: rest, at: rest.readerIndex)
                guard let bytes = rest.readSlice(length: header.totalByteCount) else { break }
                let batch = try EncodedBatch(validating: bytes)
                guard header.nextOffset > nextOffset else { continue }
                nextOffset = header.nextOffset
                if !header.isControl { batches.append(batch) }
            } catch {
                damage = "\(error)"
                return
            }
        }
        isCutShort = rest.readableBytes > 0 && nextOffset == position
    }
}
