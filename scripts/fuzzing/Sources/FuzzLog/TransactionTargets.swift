import Fuzzing
import NIOCore

@testable import CommitLog
@testable import RecordBatch

/// The files in which a log keeps what it knows of producers, transactions and leaders.
extension FuzzTarget {
    nonisolated(unsafe) private static var files = MemoryFileSystem()

    /// A `.snapshot`. The first byte's bit 1 has version, checksum and count put right.
    static let producerSnapshot = FuzzTarget("producer-snapshot", maximumBytes: 300) { bytes in
        guard let choice = bytes.first else { return }
        var file = ByteBuffer(bytes: bytes.dropFirst())
        if choice & 1 != 0 { file = ProducerSnapshot.framing(file) }
        guard let producers = ProducerSnapshot.decode(file, limit: 100) else { return }
        check(producers)
        guard let again = ProducerSnapshot.decode(ProducerSnapshot.encode(producers), limit: 100) else {
            broken("what was read cannot be written")
        }
        promise(
            again.all.map(\.producerID) == producers.all.map(\.producerID)
                && again.all.map(\.state) == producers.all.map(\.state),
            "\(producers.all) is read as \(again.all)")
        promise(again.firstUnstableOffset == producers.firstUnstableOffset, "another transaction is the first")
        // Goes on: the oldest transaction ends, and all are silent.
        var rest = producers
        rest.expire(silentSince: .max)
        check(rest)
        promise(rest.firstOpen == producers.firstOpen, "an open transaction was forgotten")
    }

    private static func check(_ producers: ProducerStates) {
        let open = producers.all.compactMap(\.state.openSince).min()
        promise(producers.firstOpen == open, "\(open, default: "none") is the first open one")
        for (_, state) in producers.all {
            promise(state.recent.count <= ProducerState.rememberedBatches, "too many batches")
            for batch in state.recent {
                promise(batch.firstSequence >= 0 && batch.lastSequence >= 0, "a sequence number below 0")
                promise(batch.baseOffset < batch.nextOffset, "a batch without an offset")
            }
        }
    }

    /// A `.txnindex`, and the list of such files: bit 1 of the first byte chooses. Bit 2 puts the list's checksum right. The
    /// second and third byte are where a consumer looks in the index.
    static let transactionIndex = FuzzTarget("transaction-index", maximumBytes: 240) { bytes in
        guard bytes.count >= 3 else { return }
        let rest = bytes.dropFirst(3)
        if bytes[0] & 1 == 0 {
            readIndex(ByteBuffer(bytes: rest), from: Offset(Int64(bytes[1])), end: Offset(Int64(bytes[2])))
        } else {
            readList(Array(rest), repairing: bytes[0] & 2 != 0)
        }
    }

    private static func readIndex(_ bytes: ByteBuffer, from offset: Offset, end: Offset) {
        guard let transactions = AbortedTransaction.decode(bytes) else { return }
        promise(AbortedTransaction.encode(transactions) == bytes, "what was read is written otherwise")
        let directory = Directory(path: LogDirectory.path, fileSystem: files)
        let found: [AbortedTransaction]
        do throws(LogError) {
            found = try AbortedTransactionSearch(offset: offset, directory: directory, sealed: [], active: transactions)
                .find(before: end)
        } catch {
            broken("\(error)")
        }
        let overlapping = transactions.filter { $0.lastOffset >= offset && $0.firstOffset < end }
        // Where last stable offsets say what cannot be, the search may end too early, but finds nothing else.
        promise(overlapping.starts(with: found), "\(found) are not of \(overlapping)")
        let isConsistent = transactions.indices.allSatisfy { index in
            transactions[index...].dropFirst().allSatisfy { $0.firstOffset >= transactions[index].lastStableOffset }
        }
        if isConsistent { promise(found == overlapping, "\(found), not \(overlapping)") }
    }

    private static func readList(_ bytes: [UInt8], repairing: Bool) {
        var text = bytes
        if repairing {
            text += Array(String(text.withUnsafeBytes { CRC32C.checksum($0) }, radix: 16).utf8) + [UInt8(ascii: "\n")]
        }
        files.clear()
        let directory = Directory(path: LogDirectory.path, fileSystem: files)
        files.put(text, at: directory.path(of: TransactionIndexList.fileName))
        do throws(LogError) {
            guard case .list(let list) = try TransactionIndexList.read(in: directory) else { return }
            try list.write(in: directory)
            let again = try TransactionIndexList.read(in: directory)
            promise(again == .list(list), "\(list) is read as \(again)")
        } catch {
            broken("\(error)")
        }
    }

    /// A `leader-epoch-checkpoint`. The first byte is where the log begins, the second where it ends, and the third an epoch.
    static let leaderEpochs = FuzzTarget("leader-epochs", maximumBytes: 96) { bytes in
        guard bytes.count >= 3, bytes[0] <= bytes[1] else { return }
        let text = String(decoding: bytes.dropFirst(3), as: UTF8.self)
        guard var epochs = LeaderEpochs(text) else { return }
        files.clear()
        let directory = Directory(path: LogDirectory.path, fileSystem: files)
        do throws(LogError) {
            let file = try epochs.write(in: directory)
            let written = String(buffer: try file.read(count: try file.size(), at: 0))
            promise(written == text, "\(text) is written as \(written)")
        } catch {
            broken("\(error)")
        }
        check(epochs)
        let log = Offset(Int64(bytes[0]))..<Offset(Int64(bytes[1]))
        epochs.limit(to: log)
        check(epochs)
        promise(epochs.entries.allSatisfy { $0.start < log.upperBound }, "an epoch behind the log's end")
        let asked = Int32(bytes[2])
        if let end = epochs.end(of: asked, logEnd: log.upperBound) {
            promise(end.epoch <= asked && end.offset <= log.upperBound, "epoch \(asked) ends at \(end)")
        }
        epochs.begin(asked, at: log.upperBound)
        check(epochs)
    }

    private static func check(_ epochs: LeaderEpochs) {
        for (one, next) in zip(epochs.entries, epochs.entries.dropFirst()) {
            promise(one.epoch < next.epoch && one.start <= next.start, "\(one) before \(next)")
        }
    }
}

extension ProducerSnapshot {
    /// A file of these entries, with the version, checksum and count that they need.
    static func framing(_ entries: ByteBuffer) -> ByteBuffer {
        var body = ByteBuffer()
        body.writeInteger(Int32(entries.readableBytes / 46))
        body.writeImmutableBuffer(entries)
        var file = ByteBuffer()
        file.writeMultipleIntegers(Int16(1), CRC32C.checksum(body))
        file.writeImmutableBuffer(body)
        return file
    }
}
