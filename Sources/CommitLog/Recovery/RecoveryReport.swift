public import RecordBatch

/// What opening a log found and mended. Empty after a clean shutdown.
public struct RecoveryReport: Hashable, Sendable {
    /// Bytes that were cut out of a log file because they are no intact batch.
    public struct Cut: Hashable, Sendable {
        /// The log file's path.
        public let path: String
        /// Where in that file the cut bytes began.
        public let position: Int
        public let byteCount: Int
        public let reason: String
        /// The file that the cut bytes were moved to; nil for the half-written end of the last segment, which nobody
        /// was ever told is there.
        public let movedTo: String?
    }

    public internal(set) var cuts: [Cut] = []
    /// Paths of index files, snapshots of producers and leader-epoch checkpoints that were missing or contradicted their
    /// log, and were made anew.
    public internal(set) var rebuiltIndexes: [String] = []
    /// Paths of small files that made no sense and were removed: a log start offset (records that were given up may be
    /// seen again), a cleaner offset (compaction begins anew), a snapshot of producers or the list of transaction indexes
    /// (both are made anew from the log).
    public internal(set) var ignoredFiles: [String] = []
    /// Offsets at the log's end that were on disk once and are gone: files were cut or removed. New batches will use
    /// them again.
    public internal(set) var lostOffsets: Range<Offset>?
    /// Offsets between segments that no batch has, in a log that was never compacted: cut out now or at an earlier opening,
    /// or never seen again.
    public internal(set) var missingOffsets: [Range<Offset>] = []
    /// Bytes of log files that had to be checked batch by batch.
    public internal(set) var scannedBytes = 0

    /// Whether nothing had to be mended.
    public var isClean: Bool { cuts.isEmpty && rebuiltIndexes.isEmpty && ignoredFiles.isEmpty && lostOffsets == nil }

    /// What was mended or is missing, for a person to read; nil when nothing was.
    public var summary: String? {
        if isClean && missingOffsets.isEmpty { return nil }
        var parts = cuts.map(\.description) + rebuiltIndexes.map { "made \($0) anew" }
        parts += ignoredFiles.map { "removed \($0), which was damaged" }
        if let lostOffsets {
            parts.append(
                "offsets \(lostOffsets.lowerBound) to \(lostOffsets.upperBound.advanced(by: -1)) were on disk and are gone"
            )
        }
        parts += missingOffsets.map { "there are no offsets \($0.lowerBound) to \($0.upperBound.advanced(by: -1))" }
        return parts.joined(separator: "; ")
    }
}

extension RecoveryReport.Cut: CustomStringConvertible {
    public var description: String {
        "cut \(byteCount) bytes at position \(position) of \(path): \(reason)"
            + (movedTo.map { "; they are kept in \($0)" } ?? "")
    }
}
