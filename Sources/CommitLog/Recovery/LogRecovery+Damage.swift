internal import RecordBatch

/// Cutting damage out of a segment.
extension LogRecovery {
    /// Moves what is damaged aside and shortens the log file to its intact beginning.
    ///
    /// Every step can be repeated after a crash: the split-off segment stands under its own name before the damaged one
    /// is shortened, and a second recovery takes its batches as not belonging to the damaged one.
    ///
    /// - Returns: the new segment that holds the intact batches after the damage, if there are any.
    mutating func cut(
        _ damage: SegmentScan.Damage, outOf name: SegmentName, _ scan: SegmentScan, isLast: Bool
    ) throws(LogError) -> SegmentName? {
        let file = scan.reader.file
        let size = scan.reader.end
        let resume = damage.isZeros && isLast ? nil : try scan.resume(after: damage)
        // Nobody was told of a write that a crash cut short; anything else is kept for a person to look at.
        let isTorn = isLast && damage.isTorn && resume == nil
        var next: SegmentName?
        if let resume, case .success(let header) = try scan.reader.header(at: resume) {
            let name = SegmentName(header.baseOffset)
            let temporary = name.log + AtomicFile.temporarySuffix
            try copy(file, from: resume, to: size, into: temporary)
            try directory.rename(temporary, to: name.log)
            next = name
        }
        var movedTo: String?
        if !isTorn {
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
                reason: damage.isTorn && resume != nil
                    ? "its length is damaged: it goes beyond the end of the file, though intact batches follow it"
                    : damage.reason,
                movedTo: movedTo))
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
}
