internal import NIOCore
internal import RecordBatch

/// Restoring which leader wrote from which offset on.
extension LogRecovery {
    /// Takes the checkpoint if the log bears it out, and makes it anew from the batches otherwise.
    mutating func restoreLeaderEpochs(_ recovered: inout Recovered) throws(LogError) {
        let segments = recovered.sealed + [recovered.active.sealed()]
        let path = directory.path(of: LeaderEpochs.fileName)
        let text = try content(LeaderEpochs.fileName).map { String(buffer: $0) }
        guard let first = try firstHeader(segments), let last = try lastEpoch(recovered) else {
            // Nothing was written yet, or nothing is left: the next batch begins an epoch.
            if text != nil { try directory.remove(LeaderEpochs.fileName) }
            return
        }
        var written = text.flatMap { LeaderEpochs($0) }
        written?.limit(to: segments[0].baseOffset..<recovered.active.nextOffset)
        if let written, try isBorneOut(written, segments, first: first, last: last) {
            recovered.leaderEpochs = written
            return
        }
        recovered.leaderEpochs = try epochs(in: segments, last: last)
        // Batches whose epochs decrease bear out no checkpoint: the epoch is not covered by their checksum.
        if recovered.leaderEpochs == written { return }
        if recovered.leaderEpochs.entries.isEmpty {
            if text != nil { try directory.remove(LeaderEpochs.fileName) }
            return
        }
        do throws(LogError) {
            try recovered.leaderEpochs.write(in: directory).sync()
        } catch {
            // On a full disk the log is opened all the same; the next start makes the checkpoint.
            guard error.isDiskFull else { throw error }
        }
        changedDirectory = true
        report.rebuiltIndexes.append(path)
    }

    /// Whether the first batch and each with which an epoch begins are of the epochs that the checkpoint says, and the last
    /// is of no newer one. It may be of an older one, which begins nothing.
    private func isBorneOut(
        _ epochs: LeaderEpochs, _ segments: [SealedSegment], first: RecordBatchHeader, last: Int32
    ) throws(LogError) -> Bool {
        guard epochs.epoch(at: first.baseOffset) ?? -1 == max(-1, first.partitionLeaderEpoch), epochs.latest >= last
        else { return false }
        for entry in epochs.entries.dropFirst() {
            guard let index = segments.firstIndex(where: { $0.nextOffset > entry.start }) else { return false }
            let before = index == 0 ? nil : try lastEpoch(of: segments[index - 1])
            guard try begins(entry, in: segments[index].open(in: directory), after: before) else { return false }
        }
        return true
    }

    /// Whether an epoch's first batch is the first of that epoch.
    ///
    /// - Parameter before: the epoch that the segment before ends with.
    private func begins(
        _ entry: LeaderEpochs.Entry, in segment: OpenSegment, after before: Int32?
    ) throws(LogError) -> Bool {
        let reader = BatchReader(segment.log, end: segment.byteCount, windowBytes: BatchReader.narrowWindowBytes)
        var position = try segment.position(for: entry.start.advanced(by: -1))
        var before = position == 0 ? before : nil
        while case .success(let header) = try reader.header(at: position) {
            if header.lastOffset >= entry.start {
                return header.partitionLeaderEpoch == entry.epoch && before != entry.epoch
            }
            before = header.partitionLeaderEpoch
            position += header.totalByteCount
        }
        return false
    }

    private func firstHeader(_ segments: [SealedSegment]) throws(LogError) -> RecordBatchHeader? {
        guard let segment = segments.first(where: { $0.byteCount > 0 }) else { return nil }
        return try firstHeader(of: segment)
    }

    private func firstHeader(of segment: SealedSegment) throws(LogError) -> RecordBatchHeader? {
        let bytes = try directory.open(segment.name.log, .read).read(count: RecordBatchHeader.byteCount, at: 0)
        return try? RecordBatchHeader(reading: bytes, at: bytes.readerIndex)
    }

    /// The last batch's epoch, -1 for none; nil for an empty log.
    private func lastEpoch(_ recovered: Recovered) throws(LogError) -> Int32? {
        let active = recovered.active
        guard active.byteCount > 0 else { return try recovered.sealed.last.map(lastEpoch(of:)) ?? nil }
        var epoch: Int32?
        try visit(active.file, from: active.index.position(for: Offset(.max)), to: active.byteCount) {
            epoch = $0.partitionLeaderEpoch
        }
        return epoch.map { max(-1, $0) }
    }

    private func lastEpoch(of sealed: SealedSegment) throws(LogError) -> Int32? {
        let segment = try sealed.open(in: directory)
        var epoch: Int32?
        try visit(segment.log, from: try segment.position(for: Offset(.max)), to: segment.byteCount) {
            epoch = $0.partitionLeaderEpoch
        }
        return epoch.map { max(-1, $0) }
    }

    /// The epochs that the batches say. A segment that begins and ends with the same epoch has no other.
    private func epochs(in segments: [SealedSegment], last: Int32) throws(LogError) -> LeaderEpochs {
        var epochs = LeaderEpochs()
        let full = segments.filter { $0.byteCount > 0 }
        for (index, segment) in full.enumerated() {
            guard let first = try firstHeader(of: segment) else { continue }
            epochs.begin(first.partitionLeaderEpoch, at: first.baseOffset)
            let next =
                index + 1 < full.count ? try firstHeader(of: full[index + 1])?.partitionLeaderEpoch ?? .max : last
            guard next != first.partitionLeaderEpoch else { continue }
            try visit(directory.open(segment.name.log, .read), from: 0, to: segment.byteCount) {
                epochs.begin($0.partitionLeaderEpoch, at: $0.baseOffset)
            }
        }
        return epochs
    }

    private func visit(
        _ file: File, from start: Int, to end: Int, _ body: (RecordBatchHeader) -> Void
    ) throws(LogError) {
        let reader = BatchReader(file, end: end, windowBytes: BatchReader.narrowWindowBytes)
        var position = start
        while position < end, case .success(let header) = try reader.header(at: position) {
            body(header)
            position += header.totalByteCount
        }
    }
}
