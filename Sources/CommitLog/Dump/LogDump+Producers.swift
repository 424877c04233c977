internal import NIOCore
internal import RecordBatch

/// What a log's files say of its producers, its transactions and its leaders.
extension LogDump {
    func dumpProducers(
        _ name: SegmentName, _ file: CommitLog.File, _ byteCount: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        guard let producers = ProducerSnapshot.decode(try file.read(count: byteCount, at: 0), limit: .max) else {
            return visit(
                .damage(Damage(position: 0, byteCount: byteCount, reason: "its checksum or form is wrong")))
        }
        for (id, state) in producers.all {
            let open = state.openSince.map { ", its transaction is open since offset \($0)" } ?? ""
            visit(
                .text(
                    "producer \(id) epoch \(state.epoch): last sequence \(state.lastSequence), heard of at "
                        + "\(state.lastUsed), coordinator epoch \(state.coordinatorEpoch)\(open)"))
        }
    }

    /// Each entry; that they are what was written the list of transaction indexes tells, where it mentions the file.
    func dumpTransactions(
        _ name: SegmentName, _ file: CommitLog.File, _ byteCount: Int, _ visit: (Item) -> Void
    ) throws(LogError) {
        let bytes = try file.read(count: byteCount, at: 0)
        guard let transactions = AbortedTransaction.decode(bytes) else {
            return visit(
                .damage(Damage(position: 0, byteCount: byteCount, reason: "it is no list of aborted transactions")))
        }
        for aborted in transactions {
            visit(
                .text(
                    "producer \(aborted.producerID) aborted offsets \(aborted.firstOffset) to \(aborted.lastOffset); "
                        + "the last stable offset then was \(aborted.lastStableOffset)"))
        }
        guard case .list(let list) = try TransactionIndexList.read(in: directory),
            let mark = list.marks[name.baseOffset],
            bytes.getSlice(at: bytes.readerIndex, length: mark.byteCount).map(CRC32C.checksum) != mark.crc
        else { return }
        visit(
            .damage(
                Damage(
                    position: 0, byteCount: byteCount,
                    reason: "its checksum is not the one in \(TransactionIndexList.fileName)")))
    }

    /// Whether a leader-epoch checkpoint has the right form and says what the log's first batches bear out.
    func fitsLog(_ text: String) throws(LogError) -> Bool {
        guard let epochs = LeaderEpochs(text) else { return false }
        for name in names {
            guard case .log(let segment) = Kind(name), name == segment.log,
                let file = try directory.openIfPresent(name)
            else { continue }
            let reader = BatchReader(file, end: try file.size(), windowBytes: BatchReader.narrowWindowBytes)
            guard case .success(let header) = try reader.header(at: 0) else { continue }
            let known = epochs.epoch(at: header.baseOffset) ?? -1
            guard known == max(-1, header.partitionLeaderEpoch) else { return false }
        }
        return true
    }
}
