internal import NIOCore
internal import RecordBatch

// The files of a segment on its way into the log. Kafka's names and meaning:
//
//      NAME.cleaned    being written; removed at the next start
//      NAME.swap       whole and on disk; the next start puts it in the place of the segments it replaces
//
// The log's file is renamed last, each time: once it is called `.swap` the segment counts.

/// A segment that takes the place of one or several sealed ones. Written and synced outside the owner's lock.
struct CleanedSegment: Sendable {
    static let cleanedSuffix = ".cleaned"
    static let swapSuffix = ".swap"

    /// What it replaces: neighbours, oldest first.
    let sources: [SealedSegment]
    let result: SealedSegment
    let directory: Directory

    /// Removes what was written.
    func discard() {
        for name in result.name.all { try? directory.remove(name + Self.cleanedSuffix) }
    }
}

/// Writes one cleaned segment. Owned by a compaction pass.
struct CleanedSegmentWriter {
    private let name: SegmentName
    private let directory: Directory
    private let file: File
    private var index: SegmentIndex
    private var pending = ByteBuffer()
    private var written = 0
    private var nextOffset: Offset

    private static let bytesPerWrite = 1 << 20

    init(_ name: SegmentName, in directory: Directory, intervalBytes: Int) throws(LogError) {
        self.name = name
        self.directory = directory
        self.file = try directory.open(name.log + CleanedSegment.cleanedSuffix, .replace)
        self.index = SegmentIndex(baseOffset: name.baseOffset, intervalBytes: intervalBytes)
        self.nextOffset = name.baseOffset
    }

    mutating func append(_ batch: EncodedBatch) throws(LogError) {
        index.add(batch.header, baseOffset: batch.header.baseOffset, at: written + pending.readableBytes)
        pending.writeImmutableBuffer(batch.bytes)
        nextOffset = batch.header.nextOffset
        if pending.readableBytes >= Self.bytesPerWrite { try flush() }
    }

    private mutating func flush() throws(LogError) {
        try file.write(pending, at: written)
        written += pending.readableBytes
        pending.clear()
    }

    /// Puts everything on disk.
    mutating func finish(replacing sources: [SealedSegment]) throws(LogError) -> CleanedSegment {
        try flush()
        index.addLargestTimestamp()
        let offsets = try directory.open(name.offsetIndex + CleanedSegment.cleanedSuffix, .replace)
        try offsets.write(index.encodedOffsets(), at: 0)
        let times = try directory.open(name.timeIndex + CleanedSegment.cleanedSuffix, .replace)
        try times.write(index.encodedTimes(), at: 0)
        for one in [file, offsets, times] { try one.sync() }
        try directory.sync()
        return CleanedSegment(
            sources: sources,
            result: SealedSegment(
                name: name, byteCount: written, nextOffset: nextOffset, largestTimestamp: index.largest?.timestamp),
            directory: directory)
    }
}
