import Fuzzing
import NIOCore

@testable import CommitLog
@testable import RecordBatch

extension FuzzTarget {
    nonisolated(unsafe) private static var files = MemoryFileSystem()

    private static let batch: EncodedBatch = {
        var builder = RecordBatchBuilder(compression: .none)
        builder.append(timestamp: 1_700_000_000_000, key: nil, value: ByteBuffer(string: "written"))
        guard let batch = try? builder.finish() else { broken("no batch") }
        return batch
    }()

    /// A log's directory, opened: what is left of it holds together, takes a batch, and opens again without a word.
    static let recovery = FuzzTarget("recovery", maximumBytes: 640) { bytes in
        guard let directory = LogDirectory(bytes, to: files) else { return }
        do throws(LogError) {
            var log = try Log(
                directory: LogDirectory.path, configuration: LogDirectory.configuration, fileSystem: files)
            if !directory.isTrusted { try readAll(log) }
            _ = try? log.offset(forTimestamp: Int64(bytes[4]))
            _ = try? log.largestTimestampSearch().find()
            let end = log.logEndOffset
            let base: Offset
            do throws(LogError) {
                base = try log.append(batch, leaderEpoch: 1)
            } catch {
                guard case .offsetsExhausted = error else { throw error }
                return
            }
            promise(base == end, "appended at \(base), the log ended at \(end)")
            let read = try log.locate(from: base, maximumBytes: 1).read()
            promise(read.readableBytes == batch.bytes.readableBytes, "the appended batch is not there")
            try log.close()
            let again = try Log(
                directory: LogDirectory.path, configuration: LogDirectory.configuration, fileSystem: files)
            // What nobody had looked at may turn out to be damaged once it is sealed; then it is said.
            let isCut = directory.isTrusted && !again.recovery.isClean && again.logStartOffset > log.logStartOffset
            promise(
                again.logEndOffset == log.logEndOffset && (again.logStartOffset == log.logStartOffset || isCut),
                "\(log.logStartOffset)..<\(log.logEndOffset) became \(again.logStartOffset)..<\(again.logEndOffset)")
            if !directory.isTrusted {
                promise(again.recovery.isClean, "after a clean close: \(again.recovery.summary ?? "")")
                try readAll(again)
            }
        } catch {
            guard directory.isTrusted else { broken("\(error)") }
        }
    }

    /// Every batch that the log serves is intact, and they stand in order.
    private static func readAll(_ log: borrowing Log) throws(LogError) {
        var next = log.logStartOffset
        while next < log.logEndOffset {
            let bytes = try log.locate(from: next, maximumBytes: 1 << 20).read()
            let batches: [EncodedBatch]
            do throws(RecordBatchError) {
                batches = try EncodedBatch.split(bytes).whole
            } catch {
                broken("served at \(next): \(error)")
            }
            // Behind the last batch there may be a gap, which compaction leaves.
            guard let last = batches.last else { return }
            promise(last.header.nextOffset > next, "no way on from \(next)")
            next = last.header.nextOffset
        }
    }

    /// A log's directory in words, as it was found.
    static let dump = FuzzTarget("dump", maximumBytes: 640) { bytes in
        guard LogDirectory(bytes, to: files) != nil else { return }
        var count = 0
        do throws(LogError) {
            try LogDump(LogDirectory.path, includesRecords: true, fileSystem: files).run { _ in count += 1 }
        } catch {
            broken("\(error)")
        }
        promise(count > 0, "nothing was shown")
    }

    /// The small files of a log: the recovery point and the log start offset. The first byte chooses, and its bit 1 has the
    /// checksum put right.
    static let checkpoints = FuzzTarget("checkpoints", maximumBytes: 96) { bytes in
        guard let choice = bytes.first else { return }
        var text = Array(bytes.dropFirst())
        if choice & 2 != 0 {
            text.append(UInt8(ascii: " "))
            text += Array(String(text.withUnsafeBytes { CRC32C.checksum($0) }, radix: 16).utf8) + [UInt8(ascii: "\n")]
        }
        files.clear()
        let directory = Directory(path: LogDirectory.path, fileSystem: files)
        do throws(LogError) {
            if choice & 1 == 0 {
                files.put(text, at: directory.path(of: RecoveryPoint.fileName))
                guard let point = try RecoveryPoint.read(in: directory) else { return }
                try point.write(in: directory)
                let again = try RecoveryPoint.read(in: directory)
                promise(again == point, "\(point) is read as \(again, default: "nothing")")
            } else {
                files.put(text, at: directory.path(of: OffsetFile.logStart.name))
                guard case .offset(let offset) = try OffsetFile.logStart.read(in: directory) else { return }
                try OffsetFile.logStart.write(offset, in: directory)
                let again = try OffsetFile.logStart.read(in: directory)
                promise(again == .offset(offset), "\(offset) is read as \(again)")
            }
        } catch {
            broken("\(error)")
        }
    }
}
