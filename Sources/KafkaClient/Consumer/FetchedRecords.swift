import KafkaProtocol
import NIOCore
import RecordBatch

/// One partition's part of a fetch answer, cut into batches. A value.
///
/// Message sets of formats 0 and 1, as brokers before Kafka 0.11 store them and newer ones still send them, become
/// batches; every record keeps its offset.
struct FetchedRecords {
    /// Every format begins with the offset and the length of what follows; the format's number is at the same place.
    private enum Frame {
        static let lengthIndex = 8
        static let bytesBeforeLengthEnd = 12
        static let magicIndex = 16
        static let minimumByteCount = 17
    }

    /// Intact batches with records at or behind the position; no transaction markers, nothing of aborted transactions.
    private(set) var batches: [EncodedBatch] = []
    /// Where to go on.
    private(set) var nextOffset: Offset
    /// The leader epoch of the last batch before `nextOffset`; -1 if there was none.
    private(set) var epoch: Int32 = -1
    /// What is wrong with the batch at `nextOffset`.
    private(set) var damage: String?
    /// Where to go on behind the damaged batch.
    private(set) var offsetBehindDamage: Offset?
    /// The answer ends within the first batch.
    private(set) var isCutShort = false

    private var aborted: AbortedProducers
    /// Messages of old formats that are not in `batches` yet.
    private var messages: MessageConverter?

    /// - Parameter abortedTransactions: those the broker names; empty to keep everything.
    init(
        _ records: ByteBuffer?, from position: Offset,
        abortedTransactions: [FetchResponse.AbortedTransaction] = []
    ) {
        nextOffset = position
        aborted = AbortedProducers(abortedTransactions)
        guard var rest = records else { return }
        defer { closeMessages() }
        while let frame = Self.frame(in: rest) {
            guard let bytes = rest.readSlice(length: frame.byteCount) else { break }
            do {
                if frame.magic < 2 { try appendMessage(bytes) } else { try append(bytes) }
            } catch {
                damage = "\(error)"
                offsetBehindDamage = Self.offset(behind: bytes, at: nextOffset, rest: rest)
                return
            }
        }
        if rest.readableBytes >= Frame.minimumByteCount, Self.frame(in: rest) == nil {
            damage = "its length field is impossible"
            offsetBehindDamage = nextOffset.advanced(by: 1)
            return
        }
        isCutShort = rest.readableBytes > 0 && nextOffset == position
    }

    private mutating func append(_ bytes: ByteBuffer) throws {
        closeMessages()
        let batch = try EncodedBatch(validating: bytes)
        let header = batch.header
        // Also of a batch before the position: its transaction may go on behind it.
        let isAborted = try aborted.contains(batch)
        guard header.nextOffset > nextOffset else { return }
        nextOffset = header.nextOffset
        epoch = header.partitionLeaderEpoch
        if !header.isControl, !isAborted { batches.append(batch) }
    }

    /// A message, or several in a compressed one. Neighbours share a batch.
    private mutating func appendMessage(_ bytes: ByteBuffer) throws {
        var converter = messages ?? MessageConverter(from: nextOffset)
        messages = nil
        defer {
            nextOffset = max(nextOffset, converter.nextOffset)
            messages = converter
        }
        try LegacyMessageSet.forEachMessage(in: bytes) { converter.append($0) }
    }

    private mutating func closeMessages() {
        guard var converter = messages else { return }
        messages = nil
        do {
            batches += try converter.finish()
        } catch {
            // Nothing is compressed here, so nothing can go wrong.
            damage = damage ?? "\(error)"
        }
    }

    /// The size and format of what stands at the beginning; nil if that cannot be told.
    private static func frame(in bytes: ByteBuffer) -> (byteCount: Int, magic: Int8)? {
        let start = bytes.readerIndex
        guard bytes.readableBytes >= Frame.minimumByteCount,
            let length = bytes.getInteger(at: start + Frame.lengthIndex, as: Int32.self),
            Int(length) + Frame.bytesBeforeLengthEnd >= Frame.minimumByteCount,
            let magic = bytes.getInteger(at: start + Frame.magicIndex, as: Int8.self)
        else { return nil }
        return (Int(length) + Frame.bytesBeforeLengthEnd, magic)
    }

    /// Behind a damaged batch: where the next one begins, if that is intact, else where its header says that it ends, if
    /// that makes sense, else at the next offset.
    private static func offset(behind damaged: ByteBuffer, at position: Offset, rest: ByteBuffer) -> Offset {
        var rest = rest
        if let frame = frame(in: rest), frame.magic == 2, let bytes = rest.readSlice(length: frame.byteCount),
            let next = try? EncodedBatch(validating: bytes), next.header.baseOffset > position
        {
            return next.header.baseOffset
        }
        let start = damaged.readerIndex
        if let magic = damaged.getInteger(at: start + Frame.magicIndex, as: Int8.self), magic < 2,
            let last = damaged.getInteger(at: start, as: Int64.self), last >= position.rawValue,
            last - position.rawValue < 1 << 20
        {
            return Offset(last).advanced(by: 1)
        }
        if let header = try? RecordBatchHeader(reading: damaged, at: start),
            header.baseOffset <= position, header.nextOffset > position,
            header.lastOffsetDelta < max(header.recordCount, 1) + (1 << 20)
        {
            return header.nextOffset
        }
        return position.advanced(by: 1)
    }
}

/// Whose records belong to an aborted transaction at the moment, walking through a fetch answer in order of offsets.
/// A value (KIP-98).
private struct AbortedProducers {
    /// Still to begin, the next one last.
    private var coming: [FetchResponse.AbortedTransaction]
    private var current: Set<Int64> = []

    init(_ transactions: [FetchResponse.AbortedTransaction]) {
        coming = transactions.sorted { $0.firstOffset > $1.firstOffset }
    }

    /// Whether the batch, the next one, belongs to an aborted transaction. Its marker ends the transaction.
    mutating func contains(_ batch: EncodedBatch) throws -> Bool {
        let header = batch.header
        while let next = coming.last, next.firstOffset <= header.lastOffset.rawValue {
            current.insert(next.producerID)
            coming.removeLast()
        }
        guard current.contains(header.producerID) else { return false }
        if header.isControl {
            if try Self.isAbortMarker(batch) { current.remove(header.producerID) }
            return true
        }
        return header.isTransactional
    }

    private static func isAbortMarker(_ batch: EncodedBatch) throws -> Bool {
        guard let key = try batch.records().first?.key else { return false }
        return try ControlRecordKey(versioned: key, acceptingNewer: true).type == ControlRecordType.abort.rawValue
    }
}

/// Makes batches of the messages of formats 0 and 1. A batch's offsets follow each other, those of a compacted log need
/// not: a new batch begins at each gap. A value.
private struct MessageConverter {
    private let firstOffset: Offset
    private var builder = RecordBatchBuilder()
    private var base: Offset = 0
    private(set) var nextOffset: Offset
    private var finished: [EncodedBatch] = []
    private var failure: RecordBatchError?

    init(from firstOffset: Offset) {
        self.firstOffset = firstOffset
        self.nextOffset = firstOffset
    }

    mutating func append(_ message: LegacyMessageView) {
        guard message.offset >= firstOffset else { return }
        if !builder.isEmpty, message.offset != nextOffset { close() }
        if builder.isEmpty { base = message.offset }
        builder.append(timestamp: message.timestamp, key: message.key, value: message.value)
        nextOffset = message.offset.advanced(by: 1)
    }

    mutating func finish() throws -> [EncodedBatch] {
        close()
        if let failure { throw failure }
        return finished
    }

    private mutating func close() {
        guard !builder.isEmpty else { return }
        do throws(RecordBatchError) {
            var batch = try builder.finish()
            batch.assign(baseOffset: base, leaderEpoch: -1)
            finished.append(batch)
        } catch {
            failure = error
        }
    }
}
