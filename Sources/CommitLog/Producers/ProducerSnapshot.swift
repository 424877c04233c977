internal import NIOCore
internal import RecordBatch

// A file `OFFSET.snapshot`: what the log before OFFSET says of its producers. Kafka's format and names. Big-endian.
//
//      0         2          6          10
//      +---------+----------+----------+------------------------------------------------
//      | version |  CRC-32C |  count   | entries …
//      |  1      |  of what |          |
//      |         |  follows |          |
//      +---------+----------+----------+------------------------------------------------
//
//      Entry, 46 bytes:
//      producer id Int64 | producer epoch Int16 | last sequence Int32 | last offset Int64 | offset delta Int32 |
//      timestamp Int64 | coordinator epoch Int32 | first offset of the open transaction Int64
//
// Numbers that there are none of are -1. Kafka keeps a producer's last batch only, and takes the last entry where there
// are several for one producer. We write an entry for each batch that we remember, oldest first, so that a producer may
// send its last batches again also after a restart.

/// Reads and writes the snapshots of a log's producers. Owned by nobody: functions on values and files.
enum ProducerSnapshot {
    private static let version: Int16 = 1
    private static let headByteCount = 10
    private static let entryByteCount = 46

    // MARK: Encoding

    static func encode(_ producers: ProducerStates) -> ByteBuffer {
        var entries = ByteBuffer()
        var count: Int32 = 0
        for (id, state) in producers.all {
            if state.recent.isEmpty {
                write(id, state, nil, into: &entries)
                count += 1
            }
            for batch in state.recent {
                write(id, state, batch, into: &entries)
                count += 1
            }
        }
        var body = ByteBuffer()
        body.writeInteger(count)
        body.writeBuffer(&entries)
        var file = ByteBuffer()
        file.writeInteger(version)
        file.writeInteger(CRC32C.checksum(body))
        file.writeBuffer(&body)
        return file
    }

    private static func write(
        _ id: Int64, _ state: ProducerState, _ batch: AppendedBatch?, into buffer: inout ByteBuffer
    ) {
        buffer.writeInteger(id)
        buffer.writeInteger(state.epoch)
        buffer.writeInteger(batch?.lastSequence ?? -1)
        buffer.writeInteger(batch.map { $0.nextOffset.advanced(by: -1).rawValue } ?? -1)
        buffer.writeInteger(batch.map { Int32(clamping: $0.nextOffset - $0.baseOffset - 1) } ?? 0)
        buffer.writeInteger(state.lastUsed)
        buffer.writeInteger(state.coordinatorEpoch)
        buffer.writeInteger(state.openSince?.rawValue ?? -1)
    }

    // MARK: Decoding

    /// - Returns: nil when the bytes are no intact snapshot.
    static func decode(_ bytes: ByteBuffer, limit: Int) -> ProducerStates? {
        var reader = bytes
        guard let (version, crc) = reader.readMultipleIntegers(as: (Int16, UInt32).self), version == self.version,
            CRC32C.checksum(reader) == crc, let count = reader.readInteger(as: Int32.self), count >= 0,
            reader.readableBytes == Int(count) * entryByteCount
        else { return nil }
        var producers = ProducerStates(limit: limit)
        for _ in 0..<count {
            guard let (id, state) = readEntry(&reader) else { return nil }
            producers.restore(state, of: id)
        }
        return producers
    }

    private static func readEntry(_ reader: inout ByteBuffer) -> (Int64, ProducerState)? {
        guard
            let (id, epoch, sequence, lastOffset, delta, timestamp, coordinatorEpoch, open) =
                reader.readMultipleIntegers(as: (Int64, Int16, Int32, Int64, Int32, Int64, Int32, Int64).self),
            id >= 0, delta >= 0, lastOffset < .max
        else { return nil }
        var state = ProducerState(epoch: epoch, lastUsed: timestamp, coordinatorEpoch: coordinatorEpoch)
        if open >= 0 { state.openSince = Offset(open) }
        if lastOffset >= 0, sequence >= 0 {
            // Numbers wrap from Int32.max to 0.
            let (first, wraps) = sequence.subtractingReportingOverflow(delta)
            state.recent = [
                AppendedBatch(
                    firstSequence: wraps || first < 0 ? first &+ Int32.max &+ 1 : first, lastSequence: sequence,
                    baseOffset: Offset(lastOffset).advanced(by: -Int64(delta)),
                    nextOffset: Offset(lastOffset).advanced(by: 1))
            ]
        }
        return (id, state)
    }

    // MARK: Files

    /// Not synced: its checksum tells when a crash has spoiled it.
    static func write(_ producers: ProducerStates, at offset: Offset, in directory: Directory) throws(LogError) {
        try directory.open(SegmentName(offset).snapshot, .replace).write(encode(producers), at: 0)
    }

    /// - Returns: nil when it is not intact.
    static func read(at offset: Offset, in directory: Directory, limit: Int) throws(LogError) -> ProducerStates? {
        guard let file = try directory.openIfPresent(SegmentName(offset).snapshot) else { return nil }
        return decode(try file.read(count: try file.size(), at: 0), limit: limit)
    }
}
