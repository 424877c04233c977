internal import RecordBatch

/// Checks the batches of one segment front to back (length, version, CRC, offsets that increase) and makes the
/// segment's indexes on the way. Owned by a recovery.
struct SegmentScan {
    let reader: BatchReader
    let baseOffset: Offset
    /// The next segment's base offset, which this one's batches must stay below.
    let bound: Offset?
    /// The end of the intact batches so far.
    private(set) var position: Int
    private(set) var nextOffset: Offset
    private(set) var index: SegmentIndex

    /// What the scan stopped at.
    struct Damage {
        let reason: String
        /// The damaged batch's header, where it could be read.
        let header: RecordBatchHeader?
        /// Whether it looks like a write that a crash cut short: the file ends within the batch, or in zeros.
        let isTorn: Bool
        /// Whether nothing but zeros follows.
        var isZeros = false
    }

    init(
        _ file: File, byteCount: Int, baseOffset: Offset, bound: Offset?, intervalBytes: Int
    ) {
        reader = BatchReader(file, end: byteCount)
        self.baseOffset = baseOffset
        self.bound = bound
        self.position = 0
        self.nextOffset = baseOffset
        self.index = SegmentIndex(baseOffset: baseOffset, intervalBytes: intervalBytes)
    }

    /// Goes on from the end of a part that is known to be intact.
    init(_ reader: BatchReader, bound: Offset?, position: Int, nextOffset: Offset, index: SegmentIndex) {
        self.reader = reader
        self.baseOffset = index.baseOffset
        self.bound = bound
        self.position = position
        self.nextOffset = nextOffset
        self.index = index
    }

    /// Scans to the end of the file, or to the first damage.
    ///
    /// - Parameter visit: called with each intact batch's header, and its position.
    mutating func run(
        _ visit: (RecordBatchHeader, _ position: Int) throws(LogError) -> Void = { (_, _) throws(LogError) in }
    ) throws(LogError) -> Damage? {
        while position < reader.end {
            switch try reader.header(at: position) {
            case .failure(let error):
                return try damage(error)
            case .success(let header):
                if let reason = try misplacement(of: header, at: position) {
                    return Damage(reason: reason, header: header, isTorn: false)
                }
                let computed = try reader.checksum(of: header, at: position)
                guard computed == header.crc else {
                    let error = RecordBatchError.checksumMismatch(stored: header.crc, computed: computed)
                    let isZero = try isZero(from: position)
                    return Damage(reason: error.description, header: header, isTorn: isZero, isZeros: isZero)
                }
                index.add(header, baseOffset: header.baseOffset, at: position)
                try visit(header, position)
                position += header.totalByteCount
                nextOffset = header.nextOffset
            }
        }
        return nil
    }

    /// Why a batch with these offsets cannot stand at `position`; nil when it can.
    private func misplacement(of header: RecordBatchHeader, at position: Int) throws(LogError) -> String? {
        guard fits(header) else {
            return "its offsets \(header.baseOffset) to \(header.lastOffset) do not belong after \(nextOffset)"
        }
        // Compaction leaves gaps. A gap before a batch that the next one does not follow is a damaged base offset,
        // which no CRC covers.
        if header.baseOffset > nextOffset, position + header.totalByteCount < reader.end,
            case .success(let next) = try reader.header(at: position + header.totalByteCount),
            next.baseOffset >= nextOffset, next.baseOffset < header.nextOffset
        {
            return "its base offset \(header.baseOffset) is after the next batch's, \(next.baseOffset)"
        }
        return nil
    }

    /// Whether the batch's offsets come after all others and before the next segment's.
    private func fits(_ header: RecordBatchHeader) -> Bool {
        header.baseOffset >= nextOffset && header.lastOffset < bound ?? Offset(.max)
            && header.lastOffset - baseOffset <= Int64(Int32.max)
    }

    private func damage(_ error: RecordBatchError) throws(LogError) -> Damage {
        if case .truncated = error {
            return Damage(reason: error.description, header: nil, isTorn: true)
        }
        let isZero = try isZero(from: position)
        return Damage(
            reason: isZero ? "the file ends in zeros that no batch was written over" : error.description,
            header: nil, isTorn: isZero, isZeros: isZero)
    }

    private func isZero(from start: Int) throws(LogError) -> Bool {
        var next = start
        while next < reader.end {
            let bytes = try reader.bytes(at: next, count: reader.end - next)
            if bytes.isEmpty { break }
            guard bytes.allSatisfy({ $0 == 0 }) else { return false }
            next += bytes.count
        }
        return true
    }
}

// MARK: Finding intact batches after damage

extension SegmentScan {
    /// Bytes that one search may check in candidates, in multiples of the segment, so that bytes made to look like
    /// batches cannot make it take for ever.
    private static let maximumCheckedShare = 4

    /// The position of the first intact batch after the damage.
    ///
    /// Where the damaged batch's length leads to an intact one, that is it. Otherwise the bytes are searched, with
    /// care, since a record's value can hold what looks like a batch: within a sealed segment a batch must fit
    /// between its neighbours, in the last one it must bear exactly the offset that comes after the damaged batch, and
    /// in both nothing but batches must follow it to the end. A batch whose CRC is right once its length is taken to
    /// reach to the candidate, which the CRC does not cover, proves the candidate whatever follows.
    func resume(after damage: Damage) throws(LogError) -> Int? {
        if let header = damage.header {
            let next = position + header.totalByteCount
            if case .success(let candidate) = try reader.header(at: next), canFollow(candidate),
                try reader.checksum(of: candidate, at: next) == candidate.crc
            {
                return next
            }
        }
        let exact = bound == nil ? try offsetAfterDamage() : nil
        if bound == nil, exact == nil { return nil }
        var checkedBytes = 0
        var start = position + 1
        while let candidate = try nextLookalike(from: start), checkedBytes < Self.maximumCheckedShare * reader.end {
            start = candidate + 1
            guard case .success(let header) = try reader.header(at: candidate), canFollow(header),
                exact == nil || header.baseOffset == exact
            else { continue }
            var rest = SegmentScan(
                reader, bound: bound, position: candidate, nextOffset: header.baseOffset,
                index: SegmentIndex(baseOffset: baseOffset, intervalBytes: .max))
            let end = try rest.run()
            if end == nil { return candidate }
            if rest.position > candidate, try onlyLengthIsDamaged(upTo: candidate) { return candidate }
            checkedBytes += rest.position - candidate + header.totalByteCount
        }
        return nil
    }

    /// The first position from `start` on where the version byte and the length's sign are a batch's.
    private func nextLookalike(from start: Int) throws(LogError) -> Int? {
        var start = start
        while start + RecordBatchHeader.byteCount <= reader.end {
            let bytes = try reader.bytes(at: start, count: reader.end - start)
            guard bytes.count >= RecordBatchHeader.byteCount else { return nil }
            let last = bytes.count - RecordBatchHeader.byteCount
            for index in 0...last where bytes[index + 16] == 2 && bytes[index + 8] < 0x80 {
                return start + index
            }
            start += last + 1
        }
        return nil
    }

    /// Whether the damaged batch is intact but for its length, if it ends at `end`.
    private func onlyLengthIsDamaged(upTo end: Int) throws(LogError) -> Bool {
        guard end - position >= RecordBatchHeader.byteCount else { return false }
        let head = try reader.bytes(at: position, count: RecordBatchHeader.byteCount)
        guard head.count == RecordBatchHeader.byteCount, head[16] == 2 else { return false }
        let stored = UInt32(bigEndian: head.loadUnaligned(fromByteOffset: 17, as: UInt32.self))
        return try reader.checksum(from: position + RecordBatchHeader.checksummedFrom, to: end) == stored
    }

    private func canFollow(_ header: RecordBatchHeader) -> Bool {
        header.baseOffset > nextOffset && fits(header)
    }

    /// The offset after the damaged batch, when its header's offsets have stayed intact.
    private func offsetAfterDamage() throws(LogError) -> Offset? {
        let bytes = try reader.bytes(at: position, count: RecordBatchHeader.byteCount)
        guard bytes.count == RecordBatchHeader.byteCount else { return nil }
        let base = Int64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: Int64.self))
        let lastDelta = Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 23, as: Int32.self))
        guard base == nextOffset.rawValue, lastDelta >= 0 else { return nil }
        return nextOffset.advanced(by: Int64(lastDelta) + 1)
    }
}
