public import RecordBatch

/// Segments that have left a log and whose files are still to be removed. Prepared under the owner's lock, performed
/// outside it on a thread that may block; when that does not happen the next opening removes the files.
public struct SegmentRemoval: Sendable {
    /// What a file that is to be removed is called, after its name; Kafka's.
    static let suffix = ".deleted"

    public internal(set) var segmentCount = 0
    /// Bytes of the segments' batches.
    public internal(set) var byteCount = 0
    let directory: Directory
    /// Whether others have taken their place, which must be on disk before these go.
    var isReplacement = false
    /// The names that the files have now.
    var names: [String] = []

    public var isEmpty: Bool { names.isEmpty }

    mutating func merge(_ other: SegmentRemoval) {
        segmentCount += other.segmentCount
        byteCount += other.byteCount
        names += other.names
    }

    /// Removes the files, after making sure that what has taken their place is on disk.
    public func perform() throws(LogError) {
        if isReplacement { try directory.sync() }
        for name in names { try directory.remove(name) }
    }
}

extension Log {
    /// Takes the oldest sealed segments out of the log.
    ///
    /// - Throws: why not even the first could be.
    mutating func retire(_ count: Int) throws(LogError) -> SegmentRemoval {
        var removal = SegmentRemoval(directory: directory)
        for segment in Array(sealed.prefix(count)) {
            do throws(LogError) {
                // The log file goes first: an index without it is swept up at the next start.
                try directory.rename(segment.name.log, to: segment.name.log + SegmentRemoval.suffix)
            } catch {
                if removal.isEmpty { throw error }
                break
            }
            removal.names.append(segment.name.log + SegmentRemoval.suffix)
            sealed.removeFirst()
            sealedByteCount -= segment.byteCount
            directoryVersion += 1
            removal.segmentCount += 1
            removal.byteCount += segment.byteCount
            var others = [segment.name.offsetIndex, segment.name.timeIndex, segment.name.snapshot]
            if segment.aborted != nil { others.append(segment.name.transactionIndex) }
            for other in others where (try? directory.rename(other, to: other + SegmentRemoval.suffix)) != nil {
                removal.names.append(other + SegmentRemoval.suffix)
            }
        }
        return removal
    }

    /// Takes the sealed segments out of the log whose records all lie before `offset`. The active segment stays.
    ///
    /// - Returns: their files, to be removed outside the lock.
    public mutating func retireSegments(before offset: Offset) throws(LogError) -> SegmentRemoval {
        try progress.check()
        return try retire(sealed.prefix { $0.nextOffset <= offset }.count)
    }

    /// Removes the sealed segments whose records all lie before `offset`, on the spot. The active segment stays.
    ///
    /// - Returns: how many segments were removed.
    @discardableResult
    public mutating func deleteSegments(before offset: Offset) throws(LogError) -> Int {
        let removal = try retireSegments(before: offset)
        try removal.perform()
        return removal.segmentCount
    }
}
