import NIOCore

@testable import CommitLog
@testable import RecordBatch

// An input of the targets that open a log:
//
//      0         1         2         3         4        5 …
//      +---------+---------+---------+---------+--------+-------+------------+------+-------+-----------
//      | choices | index   | time    | text    | second | index | time index | text | first | segment's
//      |         | bytes   | index b.| bytes   | base   | bytes | bytes      |      |  log bytes …
//      +---------+---------+---------+---------+--------+-------+------------+------+-------------------
//
//      choices: 1 put CRCs of batches right, 2 there are indexes, 4 a recovery point at the log's end, 8 the text is the
//      recovery point, 16 the text is the log start offset, 32 another segment, from the middle of the log bytes on, which
//      begins at the offset that byte 4 says, 64 the text is the leader-epoch checkpoint, 128 the time index bytes are the
//      entries of a snapshot of producers at the last segment, and the index bytes the first segment's transaction index

/// A log's directory as an input describes it.
struct LogDirectory {
    static let path = "log"
    /// Small, so that short inputs fill segments and indexes.
    static let configuration = LogConfiguration(segmentBytes: 400, segmentAge: nil, indexIntervalBytes: 0)
    private static let headBytes = 5

    /// Whether the recovery point claims that bytes are right which nobody has looked at.
    let isTrusted: Bool

    /// Writes the files. Nil when there are too few bytes.
    init?(_ input: UnsafeRawBufferPointer, to files: MemoryFileSystem) {
        guard input.count > Self.headBytes else { return nil }
        let choices = input[0]
        var rest = input[Self.headBytes...]
        func take(_ count: UInt8) -> Slice<UnsafeRawBufferPointer> {
            defer { rest = rest.dropFirst(Int(count)) }
            return rest.prefix(Int(count))
        }
        let index = take(input[1])
        let timeIndex = take(input[2])
        let text = take(input[3])
        var log = Array(rest)
        if choices & 1 != 0 { Self.repair(&log) }
        files.clear()
        let first = SegmentName(0)
        var last = first
        if choices & 32 != 0 {
            last = SegmentName(Offset(Int64(input[4])))
            files.put(log[..<(log.count / 2)], at: Self.path(first.log))
            files.put(log[(log.count / 2)...], at: Self.path(last.log))
        } else {
            files.put(log, at: Self.path(first.log))
        }
        if choices & 2 != 0 {
            files.put(index, at: Self.path(last.offsetIndex))
            files.put(timeIndex, at: Self.path(last.timeIndex))
        }
        if choices & 8 != 0 { files.put(text, at: Self.path(RecoveryPoint.fileName)) }
        if choices & 16 != 0 { files.put(text, at: Self.path(OffsetFile.logStart.name)) }
        if choices & 64 != 0 { files.put(text, at: Self.path(LeaderEpochs.fileName)) }
        if choices & 128 != 0 {
            let snapshot = ProducerSnapshot.framing(ByteBuffer(bytes: timeIndex))
            files.put(snapshot.readableBytesView, at: Self.path(last.snapshot))
            files.put(index, at: Self.path(first.transactionIndex))
        }
        isTrusted = choices & 12 != 0
        guard choices & 4 != 0 else { return }
        let directory = Directory(path: Self.path, fileSystem: files)
        let point = RecoveryPoint(
            segment: last.baseOffset, position: choices & 32 != 0 ? log.count - log.count / 2 : log.count,
            offset: Offset(Int64(input[4])), offsetEntries: index.count / OffsetIndexEntry.byteCount,
            timeEntries: timeIndex.count / TimeIndexEntry.byteCount)
        try? point.write(in: directory)
    }

    private static func path(_ name: String) -> String { path + "/" + name }

    /// Gives every batch that is there its CRC.
    private static func repair(_ log: inout [UInt8]) {
        log.withUnsafeMutableBytes { bytes in
            var position = 0
            while position < bytes.count {
                let rest = UnsafeMutableRawBufferPointer(rebasing: bytes[position...])
                guard let header = try? RecordBatchHeader(reading: UnsafeRawBufferPointer(rest)),
                    header.totalByteCount <= rest.count
                else { return }
                let covered = rest[RecordBatchHeader.checksummedFrom..<header.totalByteCount]
                rest.setBigEndian(
                    CRC32C.checksum(UnsafeRawBufferPointer(UnsafeMutableRawBufferPointer(rebasing: covered))), at: 17)
                position += header.totalByteCount
            }
        }
    }
}
