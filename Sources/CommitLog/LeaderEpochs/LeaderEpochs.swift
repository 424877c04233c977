internal import NIOCore
public import RecordBatch

// The file `leader-epoch-checkpoint` of a log's directory, lines of text; Kafka's (KIP-101).
//
//      0                     the format's version
//      COUNT
//      EPOCH START-OFFSET    for each epoch, oldest first

/// Which leader wrote from which offset on. A value owned by the log.
struct LeaderEpochs: Hashable, Sendable {
    struct Entry: Hashable, Sendable {
        let epoch: Int32
        let start: Offset
    }

    static let fileName = "leader-epoch-checkpoint"
    private static let version = "0"

    /// Oldest first: epochs increase, starts do not decrease.
    private(set) var entries: [Entry] = []

    /// -1 before the first batch.
    var latest: Int32 { entries.last?.epoch ?? -1 }

    /// An epoch begins with the batch at `offset`, unless it is not newer than all others.
    ///
    /// - Returns: whether it does.
    @discardableResult
    mutating func begin(_ epoch: Int32, at offset: Offset) -> Bool {
        guard epoch >= 0, epoch > latest else { return false }
        // An epoch that was given up without a batch never was.
        entries.removeAll { $0.start >= offset }
        entries.append(Entry(epoch: epoch, start: offset))
        return true
    }

    /// Gives up what does not lie within the log.
    mutating func limit(to offsets: Range<Offset>) {
        guard !offsets.isEmpty else { return entries = [] }
        entries.removeAll { $0.start >= offsets.upperBound }
        if let last = entries.lastIndex(where: { $0.start <= offsets.lowerBound }) {
            entries.removeFirst(last)
            entries[0] = Entry(epoch: entries[0].epoch, start: offsets.lowerBound)
        }
    }

    /// The epoch that the batch at `offset` was written in; nil if that is not known.
    func epoch(at offset: Offset) -> Int32? {
        entries.last { $0.start <= offset }?.epoch
    }

    /// Where an epoch ended: the largest one that is not larger than `epoch`, and where the next one begins.
    func end(of epoch: Int32, logEnd: Offset) -> (epoch: Int32, offset: Offset)? {
        guard epoch >= 0, let last = entries.last, epoch <= last.epoch else { return nil }
        if epoch == last.epoch { return (epoch, logEnd) }
        guard let next = entries.first(where: { $0.epoch > epoch }) else { return nil }
        return (entries.last { $0.epoch <= epoch }?.epoch ?? epoch, next.start)
    }

    // MARK: The file

    private var text: String {
        "\(Self.version)\n\(entries.count)\n" + entries.map { "\($0.epoch) \($0.start)\n" }.joined()
    }

    init() {}

    /// - Returns: nil when the text has another form, or says what cannot be.
    init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 3, lines.last == "", lines[0] == Self.version, let count = Int(lines[1]),
            count == lines.count - 3
        else { return nil }
        for line in lines.dropFirst(2).dropLast() {
            let fields = line.split(separator: " ")
            guard fields.count == 2, let epoch = Int32(fields[0]), let start = Int64(fields[1]), epoch > latest,
                start >= entries.last?.start.rawValue ?? 0
            else { return nil }
            entries.append(Entry(epoch: epoch, start: Offset(start)))
        }
        guard self.text == text else { return nil }
    }

    /// Replaces the file, which is on disk once the returned file and the directory are synced.
    func write(in directory: Directory) throws(LogError) -> File {
        let temporary = Self.fileName + AtomicFile.temporarySuffix
        let file = try directory.open(temporary, .replace)
        try file.write(ByteBuffer(string: text), at: 0)
        try directory.rename(temporary, to: Self.fileName)
        return file
    }
}

extension Log {
    /// Where an epoch's batches end: the largest epoch not larger than `epoch`, and the offset at which the next one begins,
    /// or the log end offset for the latest (KIP-101, KIP-279). Nil for an epoch that is newer than all batches.
    public func endOffset(ofLeaderEpoch epoch: Int32) -> (epoch: Int32, offset: Offset)? {
        leaderEpochs.end(of: epoch, logEnd: logEndOffset).map { ($0.epoch, max($0.offset, logStartOffset)) }
    }
}
