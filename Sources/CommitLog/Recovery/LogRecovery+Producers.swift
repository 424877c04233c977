internal import NIOCore
internal import RecordBatch

/// Restoring what the log knows of its producers, and which transactions were aborted: from the last snapshot and the batches
/// behind it.
extension LogRecovery {
    /// A segment, sealed or active, as it is replayed.
    private struct Part {
        let segment: SealedSegment
        /// Where the batch with an offset is to be looked for.
        let position: Int
    }

    /// What the transaction indexes on disk are worth.
    private struct Evidence {
        var list: TransactionIndexList?
        /// Entries that the list bears out, by segment.
        var listed: [Offset: [AbortedTransaction]] = [:]
        /// Where the first marker is in indexes that the list does not mention, by segment.
        var unlisted: [Offset: Offset] = [:]
        /// Segments whose index is not what the list says.
        var wrong: Set<Offset> = []
    }

    mutating func restoreProducers(_ recovered: inout Recovered) throws(LogError) {
        let segments = recovered.sealed + [recovered.active.sealed()]
        let end = recovered.active.nextOffset
        let first = segments[0].baseOffset
        let evidence = try readEvidence(segments)
        recovered.listsTransactionIndexes = evidence.list != nil || !evidence.unlisted.isEmpty
        for offset in snapshots where offset > end || offset < first {
            try directory.remove(SegmentName(offset).snapshot)
        }
        snapshots.removeAll { $0 > end || $0 < first }

        let start = try restoreSnapshot(&recovered, evidence, first: first, end: end)
        var aborted: [Offset: [AbortedTransaction]] = [:]
        for segment in segments where segment.nextOffset > start {
            aborted[segment.baseOffset] = try replay(segment, from: start, recovered.active, &recovered.producers)
        }
        // There is nobody yet who might not have seen a marker.
        recovered.producers.markersAreVisible(before: Offset(.max))
        try restoreTransactionIndexes(&recovered, aborted, evidence, from: start)

        let bases = Set(segments.map(\.baseOffset))
        for offset in snapshots where !bases.contains(offset) && offset != start {
            try directory.remove(SegmentName(offset).snapshot)
        }
        recovered.needsCleanPoint = start < end
        if let point = recovered.cleanPoint {
            let isMissing = point.offset > start && point.offset <= end && !snapshots.contains(point.offset)
            let path = directory.path(of: SegmentName(point.offset).snapshot)
            if isMissing, !report.ignoredFiles.contains(path), changedFrom == nil, evidence.wrong.isEmpty {
                report.rebuiltIndexes.append(path)
            }
        }
    }

    // MARK: Snapshots

    /// Takes the latest snapshot that may be used.
    ///
    /// - Returns: from where on batches are to be replayed.
    private mutating func restoreSnapshot(
        _ recovered: inout Recovered, _ evidence: Evidence, first: Offset, end: Offset
    ) throws(LogError) -> Offset {
        var bound = min(end, changedFrom ?? end, evidence.list?.offset ?? end)
        for base in evidence.wrong { bound = min(bound, base) }
        // Where the list has been lost, an index that goes back further than the snapshot is borne out by nothing.
        let latest = snapshots.last { $0 <= bound } ?? first
        for (base, marker) in evidence.unlisted where marker < latest { bound = min(bound, base) }
        for offset in snapshots.reversed() where offset <= bound {
            let limit = configuration.maximumProducers
            if let producers = try ProducerSnapshot.read(at: offset, in: directory, limit: limit) {
                recovered.producers = producers
                return offset
            }
            report.ignoredFiles.append(directory.path(of: SegmentName(offset).snapshot))
            try directory.remove(SegmentName(offset).snapshot)
            snapshots.removeAll { $0 == offset }
        }
        return first
    }

    /// Has the producers learn from a segment's batches.
    ///
    /// - Returns: the transactions whose abort markers are among them.
    private func replay(
        _ segment: SealedSegment, from start: Offset, _ active: ActiveSegment, _ producers: inout ProducerStates
    ) throws(LogError) -> [AbortedTransaction] {
        let file = try directory.open(segment.name.log, .read)
        // An upper bound of when a batch was written, so that no producer is forgotten too early.
        let modified = try file.modified()
        var position = 0
        if start > segment.baseOffset {
            position =
                segment.name == active.name
                ? active.index.position(for: start) : try segment.open(in: directory).position(for: start)
        }
        let reader = BatchReader(file, end: segment.byteCount)
        var aborted: [AbortedTransaction] = []
        // What damage there is in a segment that was not checked whoever reads it will find.
        while position < reader.end, case .success(let header) = try reader.header(at: position) {
            if header.baseOffset >= start, header.hasProducerID {
                let now = max(header.maxTimestamp, modified)
                if !header.isControl {
                    producers.record(header, at: header.baseOffset, now: now)
                } else if let marker = try marker(file, header, at: position),
                    let transaction = producers.end(marker, header, at: header.baseOffset, now: now)
                {
                    aborted.append(transaction)
                }
            }
            position += header.totalByteCount
        }
        return aborted
    }

    private func marker(
        _ file: File, _ header: RecordBatchHeader, at position: Int
    ) throws(LogError) -> TransactionMarker? {
        let bytes = try file.read(count: header.totalByteCount, at: position)
        guard let batch = try? EncodedBatch(validating: bytes) else { return nil }
        return try? TransactionMarker(batch)
    }

    // MARK: Transaction indexes

    private mutating func readEvidence(_ segments: [SealedSegment]) throws(LogError) -> Evidence {
        var evidence = Evidence()
        switch try TransactionIndexList.read(in: directory) {
        case .missing: break
        case .list(let list): evidence.list = list
        case .damaged:
            report.ignoredFiles.append(directory.path(of: TransactionIndexList.fileName))
            try directory.remove(TransactionIndexList.fileName)
        }
        for segment in segments {
            let base = segment.baseOffset
            if let mark = evidence.list?.marks[base] {
                if let listed = try entries(of: segment, mark) {
                    evidence.listed[base] = listed
                } else {
                    evidence.wrong.insert(base)
                }
            } else if transactionIndexes.contains(segment.name) {
                let entries = try content(segment.name.transactionIndex).flatMap(AbortedTransaction.decode)
                if let marker = entries?.first?.lastOffset { evidence.unlisted[base] = marker }
            }
        }
        return evidence
    }

    /// The entries of a transaction index; nil when they are not what the list says.
    private func entries(
        of segment: SealedSegment, _ mark: TransactionIndexMark
    ) throws(LogError) -> [AbortedTransaction]? {
        guard let content = try content(segment.name.transactionIndex),
            let bytes = content.getSlice(at: content.readerIndex, length: mark.byteCount),
            CRC32C.checksum(bytes) == mark.crc, let entries = AbortedTransaction.decode(bytes)
        else { return nil }
        return entries
    }

    /// Puts together what was written down and what was found, and mends the files that differ.
    private mutating func restoreTransactionIndexes(
        _ recovered: inout Recovered, _ found: [Offset: [AbortedTransaction]], _ evidence: Evidence,
        from start: Offset
    ) throws(LogError) {
        for index in recovered.sealed.indices {
            let segment = recovered.sealed[index]
            guard segment.nextOffset > start else {
                recovered.sealed[index].aborted = evidence.list?.marks[segment.baseOffset]
                continue
            }
            let entries = entries(of: segment, found, evidence, from: start)
            recovered.sealed[index].aborted = TransactionIndexMark(of: entries)
            let bytes = AbortedTransaction.encode(entries)
            let present = try content(segment.name.transactionIndex)
            guard present ?? ByteBuffer() != bytes || present != nil && entries.isEmpty else { continue }
            try noteRebuilt(segment.name, evidence)
            changedDirectory = true
            guard !entries.isEmpty else {
                try directory.remove(segment.name.transactionIndex)
                continue
            }
            if try !writeIfThereIsRoom(bytes, to: segment.name.transactionIndex) {
                recovered.sealed[index].unwrittenAborted = entries
            }
        }
        let segment = recovered.active.sealed()
        let entries = entries(of: segment, found, evidence, from: start)
        let present = try transactionIndexes.contains(segment.name) ? content(segment.name.transactionIndex) : nil
        let isOnDisk =
            entries.isEmpty ? present == nil : present == AbortedTransaction.encode(entries)
        if !isOnDisk { try noteRebuilt(segment.name, evidence) }
        try recovered.active.restore(entries, isOnDisk: isOnDisk)
        if recovered.sealed.contains(where: { $0.aborted != nil }) || !entries.isEmpty {
            recovered.listsTransactionIndexes = true
        }
    }

    /// On a full disk the log is opened all the same.
    ///
    /// - Returns: whether there was room; otherwise there is no such file.
    private func writeIfThereIsRoom(_ bytes: ByteBuffer, to name: String) throws(LogError) -> Bool {
        do throws(LogError) {
            let file = try directory.open(name, .replace)
            try file.write(bytes, at: 0)
            try file.sync()
            return true
        } catch {
            guard error.isDiskFull else { throw error }
            try directory.remove(name)
            return false
        }
    }

    private func entries(
        of segment: SealedSegment, _ found: [Offset: [AbortedTransaction]], _ evidence: Evidence, from start: Offset
    ) -> [AbortedTransaction] {
        let known = segment.baseOffset < start ? evidence.listed[segment.baseOffset] ?? [] : []
        return known.filter { $0.lastOffset < start } + (found[segment.baseOffset] ?? [])
    }

    /// An index that merely lags behind, as after any crash, is no news.
    private mutating func noteRebuilt(_ name: SegmentName, _ evidence: Evidence) throws(LogError) {
        guard evidence.wrong.contains(name.baseOffset) else { return }
        report.rebuiltIndexes.append(directory.path(of: name.transactionIndex))
    }
}
