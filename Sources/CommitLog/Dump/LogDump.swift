internal import NIOCore
public import RecordBatch

/// What is in a log's files, for a person to read: every batch and record, every index entry checked against the log, and
/// what is damaged. Only reads, so it may look at a log that is in use; what is being written meanwhile can look torn.
/// Blocking; memory does not grow with the files.
public struct LogDump {
    /// One thing that was found, in the order of the files.
    public enum Item: Sendable {
        case file(File)
        case batch(Batch)
        case record(Record)
        case indexEntry(IndexEntry)
        /// The content of a small file, such as the recovery point, or a line about what a file says.
        case text(String)
        case damage(Damage)
    }

    public struct File: Hashable, Sendable {
        public let path: String
        public let byteCount: Int
    }

    public struct Batch: Hashable, Sendable {
        /// Where in the file it begins.
        public let position: Int
        public let header: RecordBatchHeader
    }

    /// An entry of an `.index` or `.timeindex` file.
    public struct IndexEntry: Hashable, Sendable {
        public enum Target: Hashable, Sendable {
            /// Where in the log file the batch begins that ends at the offset.
            case position(Int)
            /// The largest timestamp up to the offset (milliseconds).
            case timestamp(Int64)
        }

        public let offset: Offset
        public let target: Target
        /// What the log says against it; nil when it is right.
        public let fault: String?
    }

    /// Something that should not be as it is.
    public struct Damage: Hashable, Sendable {
        public let position: Int
        /// Bytes that are passed over.
        public let byteCount: Int
        public let reason: String
    }

    let directory: Directory
    let names: [String]
    let includesRecords: Bool

    /// - Parameter path: a log's directory, or one file of it.
    /// - Throws: when there is no such file, or it is none of a log's.
    public init(
        _ path: String, includesRecords: Bool = false, fileSystem: any FileSystem = POSIXFileSystem()
    ) throws(LogError) {
        self.includesRecords = includesRecords
        if let entries = try? fileSystem.names(in: path) {
            directory = Directory(path: path, fileSystem: fileSystem)
            names = Self.ordered(entries)
            guard !names.isEmpty else { throw .notALog(path: path) }
            return
        }
        let file = path.split(separator: "/").last.map(String.init) ?? path
        directory = Directory(path: Directory.parent(of: path) ?? ".", fileSystem: fileSystem)
        names = [file]
        _ = try directory.open(file, .read)
        guard Kind(file) != nil else { throw .notALog(path: path) }
    }

    /// What a file holds, by its name.
    enum Kind: Hashable {
        case log(SegmentName)
        case offsetIndex(SegmentName)
        case timeIndex(SegmentName)
        case transactionIndex(SegmentName)
        case snapshot(SegmentName)
        case text

        init?(_ name: String) {
            let endings = [
                "", SegmentRemoval.suffix, CleanedSegment.cleanedSuffix, CleanedSegment.swapSuffix,
            ]
            for ending in endings {
                if let segment = SegmentName(fileName: name, suffix: SegmentName.logSuffix + ending) {
                    self = .log(segment)
                    return
                }
                if let segment = SegmentName(fileName: name, suffix: SegmentName.offsetIndexSuffix + ending) {
                    self = .offsetIndex(segment)
                    return
                }
                if let segment = SegmentName(fileName: name, suffix: SegmentName.timeIndexSuffix + ending) {
                    self = .timeIndex(segment)
                    return
                }
                if let segment = SegmentName(fileName: name, suffix: SegmentName.transactionIndexSuffix + ending) {
                    self = .transactionIndex(segment)
                    return
                }
                if let segment = SegmentName(fileName: name, suffix: SegmentName.snapshotSuffix + ending) {
                    self = .snapshot(segment)
                    return
                }
            }
            let texts = [RecoveryPoint.fileName, LeaderEpochs.fileName, TransactionIndexList.fileName]
            guard texts.contains(name) || OffsetFile.all.contains(where: { $0.name == name }) else { return nil }
            self = .text
        }
    }

    /// A directory's files that are a log's, segment by segment, each segment's log first.
    private static func ordered(_ entries: [String]) -> [String] {
        func rank(_ name: String) -> (Int64, Int, String) {
            switch Kind(name) {
            case .log(let segment): (segment.baseOffset.rawValue, 0, name)
            case .offsetIndex(let segment): (segment.baseOffset.rawValue, 1, name)
            case .timeIndex(let segment): (segment.baseOffset.rawValue, 2, name)
            case .transactionIndex(let segment): (segment.baseOffset.rawValue, 3, name)
            case .snapshot(let segment): (segment.baseOffset.rawValue, 4, name)
            case .text, nil: (-1, 0, name)
            }
        }
        return entries.filter { Kind($0) != nil }.sorted { rank($0) < rank($1) }
    }

    /// Calls `visit` with everything there is, file by file.
    ///
    /// - Throws: when a file cannot be read; what is merely damaged is visited.
    public func run(_ visit: (Item) -> Void) throws(LogError) {
        for name in names {
            guard let kind = Kind(name), let file = try directory.openIfPresent(name) else { continue }
            let byteCount = try file.size()
            visit(.file(File(path: file.path, byteCount: byteCount)))
            switch kind {
            case .log(let segment): try dump(segment, file, byteCount, visit)
            case .offsetIndex(let segment): try dumpOffsets(segment, file, byteCount, visit)
            case .timeIndex(let segment): try dumpTimes(segment, file, byteCount, visit)
            case .transactionIndex(let segment): try dumpTransactions(segment, file, byteCount, visit)
            case .snapshot(let segment): try dumpProducers(segment, file, byteCount, visit)
            case .text: try dumpText(name, file, byteCount, visit)
            }
        }
    }

    private func dumpText(
        _ name: String, _ file: CommitLog.File, _ byteCount: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        let text = String(buffer: try file.read(count: min(byteCount, 4096), at: 0))
        visit(.text(text.trimmingNewline))
        var isDamaged = false
        if name == RecoveryPoint.fileName { isDamaged = try RecoveryPoint.read(in: directory) == nil }
        if name == TransactionIndexList.fileName {
            isDamaged = try TransactionIndexList.read(in: directory) == .damaged
        }
        if name == LeaderEpochs.fileName { isDamaged = try !fitsLog(text) }
        for file in OffsetFile.all where file.name == name { isDamaged = try file.read(in: directory) == .damaged }
        if isDamaged {
            let reason = "its checksum or form is wrong, or it contradicts the log"
            visit(.damage(Damage(position: 0, byteCount: byteCount, reason: reason)))
        }
    }
}

extension String {
    fileprivate var trimmingNewline: String { hasSuffix("\n") ? String(dropLast()) : self }
}
