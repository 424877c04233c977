internal import RecordBatch

/// Everything that a start needs to begin at one place of a log instead of at its beginning: the recovery point, what the log
/// knows of its producers there, and what its transaction indexes are. A value made under the owner's lock and written
/// outside it, once everything before the place is on disk.
struct CleanPoint: Sendable {
    let recoveryPoint: RecoveryPoint
    let producers: ProducerStates
    /// Nil while no transaction was ever aborted.
    let transactionIndexes: TransactionIndexList?

    /// Replaces the files. They are not synced: checksums tell when a crash has spoiled them.
    ///
    /// - Parameter previous: the clean point before, whose snapshot goes.
    func write(in directory: Directory, after previous: RecoveryPoint?) throws(LogError) {
        // A snapshot is only used together with a list that goes as far.
        try transactionIndexes?.write(in: directory)
        try ProducerSnapshot.write(producers, at: recoveryPoint.offset, in: directory)
        try recoveryPoint.write(in: directory)
        if let previous, previous.offset != recoveryPoint.offset, previous.offset != previous.segment {
            try directory.remove(SegmentName(previous.offset).snapshot)
        }
    }
}

extension Log {
    /// The log's end as a clean point, for when everything before it is on disk; nil when the indexes cannot be written out.
    mutating func cleanPoint() -> CleanPoint? {
        guard let recoveryPoint = active.recoveryPoint() else { return nil }
        return CleanPoint(
            recoveryPoint: recoveryPoint, producers: producers, transactionIndexes: transactionIndexList())
    }

    /// What the transaction indexes on disk are; nil as long as there never was one.
    private mutating func transactionIndexList() -> TransactionIndexList? {
        var list = TransactionIndexList(offset: logEndOffset, marks: [:])
        for segment in sealed where segment.aborted != nil { list.marks[segment.baseOffset] = segment.aborted }
        if let mark = TransactionIndexMark(of: active.aborted) { list.marks[active.baseOffset] = mark }
        if !list.marks.isEmpty { listsTransactionIndexes = true }
        return listsTransactionIndexes ? list : nil
    }

    /// Writes down what the transaction indexes are now that a segment was sealed or replaced. Without it the next start
    /// makes them anew.
    mutating func writeTransactionIndexList() {
        guard listsTransactionIndexes || !active.aborted.isEmpty || sealed.last?.aborted != nil,
            active.recoveryPoint() != nil
        else { return }
        try? transactionIndexList()?.write(in: directory)
    }
}
