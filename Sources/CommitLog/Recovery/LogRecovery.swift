internal import NIOCore
internal import RecordBatch

/// Opens what is in a log's directory: keeps every intact batch, never one that is damaged, and makes the indexes anew
/// where they do not fit. Checks the batches after the recovery point one by one. Lives within `Log.init`.
struct LogRecovery {
    let directory: Directory
    let configuration: LogConfiguration
    private(set) var report = RecoveryReport()
    /// Whether files were made or removed, so that the directory is to be synced.
    private(set) var changedDirectory = false

    /// A segment that has been checked to its end.
    private struct Checked {
        let name: SegmentName
        let file: File
        let byteCount: Int
        let nextOffset: Offset
        let index: SegmentIndex
    }

    init(directory: Directory, configuration: LogConfiguration) {
        self.directory = directory
        self.configuration = configuration
    }

    /// - Parameter initialOffset: where the log begins if there is none yet.
    mutating func run(initialOffset: Offset) throws(LogError) -> ([SealedSegment], ActiveSegment) {
        let names = try sweptNames()
        let point = try RecoveryPoint.read(in: directory)
        let (sealed, active) = try open(names, point, initialOffset: initialOffset)
        if let point, point.offset > active.nextOffset {
            report.lostOffsets = active.nextOffset..<point.offset
        }
        return (sealed, active)
    }

    private mutating func open(
        _ names: [SegmentName], _ point: RecoveryPoint?, initialOffset: Offset
    ) throws(LogError) -> ([SealedSegment], ActiveSegment) {
        guard let last = names.last else {
            changedDirectory = true
            return ([], try create(SegmentName(initialOffset)))
        }
        var sealed: [SealedSegment] = []
        for (name, next) in zip(names, names.dropFirst()) {
            if let point, name.baseOffset < point.segment, next.baseOffset <= point.segment,
                let trusted = try trustedSegment(name, before: next.baseOffset)
            {
                sealed.append(trusted)
            } else {
                sealed += try seal(try check(name, bound: next.baseOffset))
            }
        }
        var checked: [Checked]
        if let point, let scan = try trustedPart(of: last, point) {
            checked = try check(last, bound: nil, goingOnWith: scan)
        } else {
            checked = try check(last, bound: nil)
        }
        guard let end = checked.popLast() else {
            changedDirectory = true
            return (sealed, try create(last))
        }
        sealed += try seal(checked)
        return (sealed, try activate(end))
    }

    private func create(_ name: SegmentName) throws(LogError) -> ActiveSegment {
        try ActiveSegment(creating: name, in: directory, intervalBytes: configuration.indexIntervalBytes)
    }

    /// The segments in the directory by offset, after removing what an earlier crash left: temporary files, and indexes
    /// without a log.
    private func sweptNames() throws(LogError) -> [SegmentName] {
        let files = try directory.names()
        let names = Set(files.compactMap { SegmentName(fileName: $0, suffix: SegmentName.logSuffix) })
        for file in files {
            let index =
                SegmentName(fileName: file, suffix: SegmentName.offsetIndexSuffix)
                ?? SegmentName(fileName: file, suffix: SegmentName.timeIndexSuffix)
            let isOrphan = index.map { !names.contains($0) } ?? false
            if isOrphan || Self.isTemporary(file) { try directory.remove(file) }
        }
        return names.sorted { $0.baseOffset < $1.baseOffset }
    }

    /// Whether a file is one of ours that was being written: others' files are left alone.
    private static func isTemporary(_ file: String) -> Bool {
        guard file.hasSuffix(AtomicFile.temporarySuffix) else { return false }
        let target = String(file.dropLast(AtomicFile.temporarySuffix.count))
        return target == RecoveryPoint.fileName || SegmentName(fileName: target, suffix: SegmentName.logSuffix) != nil
    }

    // MARK: Segments before the recovery point

    /// A sealed segment that need not be checked again; nil when its indexes do not fit it.
    private func trustedSegment(_ name: SegmentName, before bound: Offset) throws(LogError) -> SealedSegment? {
        let byteCount = try directory.open(name.log, .read).size()
        let segment = try SealedSegment(name: name, byteCount: byteCount, nextOffset: bound).open(in: directory)
        guard let offsetIndex = segment.offsetIndex, try offsetIndex.size() % OffsetIndexEntry.byteCount == 0,
            let timeIndex = try directory.openIfPresent(name.timeIndex),
            try timeIndex.size() % TimeIndexEntry.byteCount == 0
        else { return nil }
        let start = try segment.position(for: Offset(.max))
        var tailTimestamp: Int64 = -1
        let end = try walk(segment.log, from: start, to: byteCount) {
            tailTimestamp = max(tailTimestamp, $0.maxTimestamp)
        }
        guard let end, end <= bound, try largestTimestamp(of: segment, timeIndex) ?? .min >= tailTimestamp else {
            return nil
        }
        return SealedSegment(name: name, byteCount: byteCount, nextOffset: end)
    }

    /// The largest timestamp that a segment's time index ends with, -1 when it has no entry; nil when the batch that the
    /// entry names does not bear it out.
    private func largestTimestamp(of segment: OpenSegment, _ timeIndex: File) throws(LogError) -> Int64? {
        let size = try timeIndex.size()
        guard size > 0 else { return -1 }
        let bytes = try timeIndex.read(count: TimeIndexEntry.byteCount, at: size - TimeIndexEntry.byteCount)
        guard let entry = SegmentIndex.decodeTimes(bytes)?.first else { return nil }
        let offset = segment.baseOffset.advanced(by: Int64(entry.relativeOffset))
        let reader = BatchReader(segment.log, end: segment.byteCount, windowBytes: BatchReader.narrowWindowBytes)
        var position = try segment.position(for: offset)
        while position < segment.byteCount, case .success(let header) = try reader.header(at: position) {
            if header.lastOffset >= offset {
                return header.lastOffset == offset && header.maxTimestamp == entry.timestamp ? entry.timestamp : nil
            }
            position += header.totalByteCount
        }
        return nil
    }

    /// Walks the headers from an index's last entry to the end.
    ///
    /// - Returns: the offset after the last batch; nil when the file does not consist of batches with increasing
    ///   offsets, or the index lacks an entry.
    private func walk(
        _ file: File, from start: Int, to end: Int, _ visit: (RecordBatchHeader) -> Void
    ) throws(LogError) -> Offset? {
        let reader = BatchReader(file, end: end, windowBytes: BatchReader.narrowWindowBytes)
        var position = start
        var nextOffset: Offset?
        while position < reader.end {
            guard case .success(let header) = try reader.header(at: position),
                header.baseOffset >= nextOffset ?? header.baseOffset,
                position == start || position - start <= configuration.indexIntervalBytes
            else { return nil }
            visit(header)
            nextOffset = header.nextOffset
            position += header.totalByteCount
        }
        return nextOffset
    }

    /// The part of the last segment that lies before the recovery point; nil when the files do not fit it.
    private func trustedPart(of name: SegmentName, _ point: RecoveryPoint) throws(LogError) -> SegmentScan? {
        guard point.segment == name.baseOffset, point.position > 0 else { return nil }
        let file = try directory.open(name.log, .readWrite)
        let size = try file.size()
        guard size >= point.position, let (offsets, times) = try indexEntries(name),
            offsets.count >= point.offsetEntries, times.count >= point.timeEntries,
            var index = SegmentIndex(
                baseOffset: name.baseOffset, intervalBytes: configuration.indexIntervalBytes,
                offsets: Array(offsets.prefix(point.offsetEntries)), times: Array(times.prefix(point.timeEntries)),
                logBytes: point.position)
        else { return nil }
        let start = index.position(for: Offset(.max))
        guard
            try walk(file, from: start, to: point.position, { index.resume(over: $0, baseOffset: $0.baseOffset) })
                == point.offset
        else { return nil }
        return SegmentScan(
            BatchReader(file, end: size), bound: nil, position: point.position, nextOffset: point.offset, index: index)
    }

    /// The entries of a segment's index files; nil when one is missing or ends within an entry.
    private func indexEntries(
        _ name: SegmentName
    ) throws(LogError) -> (offsets: [OffsetIndexEntry], times: [TimeIndexEntry])? {
        guard let offsetBytes = try content(name.offsetIndex), let timeBytes = try content(name.timeIndex),
            let offsets = SegmentIndex.decodeOffsets(offsetBytes), let times = SegmentIndex.decodeTimes(timeBytes)
        else { return nil }
        return (offsets, times)
    }

    private func content(_ name: String) throws(LogError) -> ByteBuffer? {
        guard let file = try directory.openIfPresent(name) else { return nil }
        return try file.read(count: try file.size(), at: 0)
    }

    // MARK: Segments after it

    /// Checks a segment batch by batch, cuts damage out, and splits the segment where intact batches follow damage.
    ///
    /// - Returns: the segment, and those split off it; the last one may be empty.
    private mutating func check(
        _ name: SegmentName, bound: Offset?, goingOnWith part: SegmentScan? = nil
    ) throws(LogError) -> [Checked] {
        var checked: [Checked] = []
        var name = name
        var part = part
        while true {
            var scan: SegmentScan
            if let trusted = part { scan = trusted } else { scan = try beginScan(name, bound: bound) }
            part = nil
            let file = scan.reader.file
            let start = scan.position
            let damage = try scan.run()
            report.scannedBytes += scan.position - start
            checked.append(
                Checked(
                    name: name, file: file, byteCount: scan.position, nextOffset: scan.nextOffset, index: scan.index))
            var next: SegmentName?
            if let damage { next = try cut(damage, outOf: name, scan, isLast: bound == nil) }
            if scan.position > start || damage != nil { try file.sync() }
            guard let next else { return checked }
            name = next
        }
    }

    private func beginScan(_ name: SegmentName, bound: Offset?) throws(LogError) -> SegmentScan {
        let file = try directory.open(name.log, .readWrite)
        return SegmentScan(
            file, byteCount: try file.size(), baseOffset: name.baseOffset, bound: bound,
            intervalBytes: configuration.indexIntervalBytes)
    }

    /// Moves what is damaged aside and shortens the log file to its intact beginning.
    ///
    /// Every step can be repeated after a crash: the split-off segment stands under its own name before the damaged one
    /// is shortened, and a second recovery takes its batches as not belonging to the damaged one.
    ///
    /// - Returns: the new segment that holds the intact batches after the damage, if there are any.
    private mutating func cut(
        _ damage: SegmentScan.Damage, outOf name: SegmentName, _ scan: SegmentScan, isLast: Bool
    ) throws(LogError) -> SegmentName? {
        let file = scan.reader.file
        let size = scan.reader.end
        let resume = damage.isTorn && isLast ? nil : try scan.resume(after: damage)
        var next: SegmentName?
        if let resume, case .success(let header) = try scan.reader.header(at: resume) {
            let name = SegmentName(header.baseOffset)
            let temporary = name.log + AtomicFile.temporarySuffix
            try copy(file, from: resume, to: size, into: temporary)
            try directory.rename(temporary, to: name.log)
            next = name
        }
        var movedTo: String?
        if !(damage.isTorn && isLast) {
            let aside = try freeName("\(name.log).\(scan.position).corrupt")
            try copy(file, from: scan.position, to: resume ?? size, into: aside)
            movedTo = directory.path(of: aside)
        }
        if next != nil || movedTo != nil {
            try directory.sync()
        }
        try file.truncate(to: scan.position)
        report.cuts.append(
            RecoveryReport.Cut(
                path: file.path, position: scan.position, byteCount: (resume ?? size) - scan.position,
                reason: damage.reason, movedTo: movedTo))
        return next
    }

    private func copy(_ file: File, from start: Int, to end: Int, into name: String) throws(LogError) {
        let target = try directory.open(name, .replace)
        let reader = BatchReader(file, end: end)
        var position = start
        while position < end {
            let bytes = try reader.bytes(at: position, count: end - position)
            if bytes.isEmpty { throw .file(.read, path: file.path, SystemError.endedEarly) }
            try target.write(UnsafeRawBufferPointer(start: nil, count: 0), bytes, at: position - start)
            position += bytes.count
        }
        try target.sync()
    }

    /// `name`, or with a number after it if there is such a file already.
    private func freeName(_ name: String) throws(LogError) -> String {
        let taken = Set(try directory.names())
        var free = name
        var number = 1
        while taken.contains(free) {
            number += 1
            free = "\(name)-\(number)"
        }
        return free
    }

    // MARK: Indexes

    /// Makes checked segments sealed ones, with their indexes on disk. Empty ones go.
    private mutating func seal(_ checked: [Checked]) throws(LogError) -> [SealedSegment] {
        var sealed: [SealedSegment] = []
        for segment in checked {
            guard segment.byteCount > 0 else {
                try directory.remove(segment.name.log)
                try directory.remove(segment.name.offsetIndex)
                try directory.remove(segment.name.timeIndex)
                changedDirectory = true
                continue
            }
            var index = segment.index
            index.addLargestTimestamp()
            if try !isOnDisk(index, of: segment) {
                let offsets = try directory.open(segment.name.offsetIndex, .replace)
                try offsets.write(index.encodedOffsets(), at: 0)
                let times = try directory.open(segment.name.timeIndex, .replace)
                try times.write(index.encodedTimes(), at: 0)
                try offsets.sync()
                try times.sync()
                changedDirectory = true
            }
            sealed.append(
                SealedSegment(name: segment.name, byteCount: segment.byteCount, nextOffset: segment.nextOffset))
        }
        return sealed
    }

    private mutating func activate(_ segment: Checked) throws(LogError) -> ActiveSegment {
        try ActiveSegment(
            resuming: segment.name, file: segment.file, in: directory, byteCount: segment.byteCount,
            nextOffset: segment.nextOffset, index: segment.index,
            indexIsOnDisk: try isOnDisk(segment.index, of: segment))
    }

    /// Whether the index files hold exactly `index`. Reports them when they are missing or make no sense, but not when
    /// they are merely behind or ahead, as after any crash.
    private mutating func isOnDisk(_ index: SegmentIndex, of segment: Checked) throws(LogError) -> Bool {
        let offsets = try content(segment.name.offsetIndex)
        let times = try content(segment.name.timeIndex)
        if offsets == index.encodedOffsets(), times == index.encodedTimes() { return true }
        let makesSense =
            try indexEntries(segment.name).map { offsets, times in
                SegmentIndex(
                    baseOffset: segment.name.baseOffset, intervalBytes: configuration.indexIntervalBytes,
                    offsets: offsets, times: times, logBytes: .max) != nil
            } ?? false
        if !makesSense, segment.byteCount > 0 {
            report.rebuiltIndexes += [segment.name.offsetIndex, segment.name.timeIndex].map(directory.path(of:))
        }
        return false
    }
}
