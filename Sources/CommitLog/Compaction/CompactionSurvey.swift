internal import NIOCore
internal import RecordBatch

/// What has to be known of the whole log before any of it is compacted: how transactions ended, and which batch is each
/// producer's last. Read from the batches' headers, the active segment's too. Owned by one compaction pass.
struct CompactionSurvey {
    private struct Producer {
        var lastData: Offset?
        var lastMarker: Offset?
        var timestamp: Int64 = -1
        /// The first offset of the transaction that is open.
        var open: Offset?
        /// The offsets of transactions that were aborted, in order.
        var aborted: [ClosedRange<Offset>] = []
    }

    private var producers: [Int64: Producer] = [:]
    /// Producers silent since before this time may be forgotten (milliseconds).
    private let activeSince: Int64

    init(activeSince: Int64) {
        self.activeSince = activeSince
    }

    /// - Parameter offsets: those of the segment, within which its batches must lie in order; no CRC covers them.
    mutating func add(_ reader: BatchReader, offsets: Range<Offset>) throws(LogError) {
        var position = 0
        var next = offsets.lowerBound
        while position < reader.end {
            let header = try reader.intactHeader(at: position)
            guard header.baseOffset >= next, header.nextOffset <= offsets.upperBound else {
                throw .corrupt(
                    path: reader.file.path, position: position,
                    reason: "offsets \(header.baseOffset) to \(header.lastOffset) do not belong after \(next)")
            }
            next = header.nextOffset
            if header.hasProducerID {
                try add(header, reader, at: position)
            }
            position += header.totalByteCount
        }
    }

    private mutating func add(
        _ header: RecordBatchHeader, _ reader: BatchReader, at position: Int
    ) throws(LogError) {
        var producer = producers[header.producerID] ?? Producer()
        producer.timestamp = max(producer.timestamp, header.maxTimestamp)
        if header.isControl {
            producer.lastMarker = header.lastOffset
            if let first = producer.open, try Self.isAbort(header, reader, at: position) {
                producer.aborted.append(first...header.lastOffset)
            }
            producer.open = nil
        } else {
            producer.lastData = header.lastOffset
            if header.isTransactional, producer.open == nil { producer.open = header.baseOffset }
        }
        producers[header.producerID] = producer
    }

    /// Whether a transaction marker says that it was aborted: its key is a version and a type (Int16 each), 0 for abort.
    private static func isAbort(
        _ header: RecordBatchHeader, _ reader: BatchReader, at position: Int
    ) throws(LogError) -> Bool {
        let bytes = try reader.file.read(count: header.totalByteCount, at: position)
        do throws(RecordBatchError) {
            let key = try EncodedBatch(validating: bytes).records().first?.key
            return key.flatMap { $0.getInteger(at: $0.readerIndex + 2, as: Int16.self) } == 0
        } catch {
            throw .corrupt(path: reader.file.path, position: position, reason: error.description)
        }
    }

    /// The first offset of a transaction whose end is not known yet; nil when there is none.
    var firstUnstableOffset: Offset? {
        producers.values.compactMap(\.open).min()
    }

    func isAborted(_ header: RecordBatchHeader) -> Bool {
        guard header.isTransactional, !header.isControl, let aborted = producers[header.producerID]?.aborted else {
            return false
        }
        var low = 0
        var high = aborted.count
        while low < high {
            let middle = (low + high) / 2
            if aborted[middle].upperBound < header.baseOffset { low = middle + 1 } else { high = middle }
        }
        return low < aborted.count && aborted[low].contains(header.baseOffset)
    }

    /// Whether the batch is the last of its producer, from which the broker learns at its next start where the producer
    /// is.
    func isLastOfProducer(_ header: RecordBatchHeader) -> Bool {
        guard header.hasProducerID, let producer = producers[header.producerID], producer.timestamp >= activeSince
        else {
            return false
        }
        return header.lastOffset == producer.lastData ?? producer.lastMarker
    }
}
