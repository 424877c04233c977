import CommitLog
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import Synchronization

/// One topic's part of the spool: a log whose offsets are the records' sequence numbers.
///
/// Owned by the ``Spool``. One collector lane appends and one drain reads and acknowledges; each call may block on the
/// disk, so call it on a thread that may.
final class SpoolTopic: Sendable {
    /// What a drain gets to send next.
    enum Reading {
        /// Nothing is there that is not sent.
        case nothing
        case batches([EncodedBatch])
        /// What stood before the offset cannot be read any more.
        case damage(next: Offset, lostRecords: Int64, reason: String)
    }

    /// What waits to be acknowledged.
    struct Backlog {
        var records: Int64
        /// Exact since the start; what waited then is estimated from its share of the log.
        var bytes: Int
    }

    private struct State: ~Copyable {
        var log: Log
        var acknowledged: Offset
        var waitingBytes: Int
        /// Set after a sync failed: the log has to be read back from disk before it takes anything.
        var needsReopening = false
    }

    let name: TopicName
    let epoch: Int64
    /// What recovery mended when the log was opened.
    let recovery: RecoveryReport
    /// Yields whenever something was accepted. For the one drain.
    let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation
    private let makeLog: @Sendable () throws(LogError) -> Log
    private let room: SpoolRoom
    private let key: ByteBuffer
    private let agentHeader: RecordHeader
    private let epochHeader: RecordHeader
    private let state: Mutex<State>

    /// Opens the topic's log below the spool's directory.
    ///
    /// - Parameters:
    ///   - progress: what the checkpoint says; nil when it knows nothing of the topic.
    ///   - unknownEpoch: the epoch for a log with records that the checkpoint knows nothing of.
    init(
        name: TopicName, progress: SpoolCheckpoint.Progress?, unknownEpoch: Int64, agent: AgentID, key: String,
        segmentBytes: Int, room: SpoolRoom, fileSystem: any FileSystem
    ) throws(LogError) {
        let directory = "\(room.directory)/topics/\(name.rawValue)"
        // Segments of no particular age: what is acknowledged and not yet deleted costs a few megabytes at most.
        let configuration = LogConfiguration(segmentBytes: segmentBytes, segmentAge: nil)
        let makeLog = { @Sendable () throws(LogError) in
            try Log(directory: directory, configuration: configuration, fileSystem: fileSystem)
        }
        var log = try makeLog()
        // Only what is on disk may be sent, also after a crash left records in the page cache.
        try log.syncPoint().perform()
        let start = log.logStartOffset
        let end = log.logEndOffset
        let acknowledged = min(max(progress?.acknowledged ?? start, start), end)
        if let progress {
            // Records that were sent are gone from the log, so their numbers would be given to others.
            let isShorter = end < progress.acknowledged || !log.recovery.cuts.isEmpty
            epoch = isShorter ? progress.epoch + 1 : progress.epoch
        } else {
            epoch = end == 0 ? 0 : unknownEpoch
        }
        let records = end - start
        let share = records > 0 ? Double(end - acknowledged) / Double(records) : 0
        self.name = name
        self.makeLog = makeLog
        self.room = room
        self.key = ByteBuffer(string: key)
        agentHeader = RecordHeader(key: "weir-agent", value: ByteBuffer(string: agent.text))
        epochHeader = RecordHeader(key: "weir-epoch", value: ByteBuffer(string: String(epoch)))
        recovery = log.recovery
        (arrivals, arrival) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        room.count(log.byteCount)
        state = Mutex(
            State(log: log, acknowledged: acknowledged, waitingBytes: Int(share * Double(log.byteCount))))
        arrival.yield()
    }

    // MARK: The collector's side

    /// Accepts one record: returns its sequence number once it is on disk.
    func append(_ value: [UInt8], timestamp: Timestamp) throws(SpoolError) -> Offset {
        try append(capacity: value.count) { builder, sequence in
            builder.append(
                timestamp: timestamp.milliseconds, key: key, value: ByteBuffer(bytes: value),
                headers: headers(sequence: sequence))
        }
    }

    /// Accepts all records of a block as one batch, each with its instance as key: returns the sequence number of the
    /// first once they are on disk.
    func append(_ block: RecordBlock) throws(SpoolError) -> Offset {
        try append(capacity: block.text.readableBytes) { builder, sequence in
            block.text.withUnsafeReadableBytes { text in
                for (index, record) in block.records.enumerated() {
                    var instance = record.instance
                    instance.withUTF8 { key in
                        builder.append(
                            timestamp: record.timestamp.milliseconds, key: UnsafeRawBufferPointer(key),
                            value: UnsafeRawBufferPointer(rebasing: text[record.bytes]),
                            headers: headers(sequence: sequence.advanced(by: Int64(index))))
                    }
                }
            }
        }
    }

    /// Appends the batch of the records that `build` puts into it, from this sequence number on.
    private func append(
        capacity: Int, _ build: (inout RecordBatchBuilder, _ sequence: Offset) -> Void
    ) throws(SpoolError) -> Offset {
        let (offset, sync) = try state.withLock { (state) throws(SpoolError) in
            do throws(LogError) {
                if state.needsReopening { try reopen(&state) }
            } catch {
                throw .storage(error)
            }
            var builder = RecordBatchBuilder(compression: .lz4, capacity: capacity + 256)
            build(&builder, state.log.logEndOffset)
            let batch = try finish(&builder)
            let bytes = batch.bytes.readableBytes
            try room.take(bytes)
            do throws(LogError) {
                let offset = try state.log.append(batch, leaderEpoch: -1)
                state.waitingBytes += bytes
                return (offset, state.log.syncPoint())
            } catch {
                room.give(bytes)
                throw .storage(error)
            }
        }
        do throws(LogError) {
            try sync.perform()
        } catch {
            state.withLock { $0.needsReopening = true }
            throw .storage(error)
        }
        arrival.yield()
        return offset
    }

    private func headers(sequence: Offset) -> [RecordHeader] {
        [
            agentHeader, epochHeader,
            RecordHeader(key: "weir-sequence", value: ByteBuffer(string: String(sequence.rawValue))),
        ]
    }

    private func finish(_ builder: inout RecordBatchBuilder) throws(SpoolError) -> EncodedBatch {
        do throws(RecordBatchError) {
            return try builder.finish()
        } catch {
            throw .unencodable(error.description)
        }
    }

    /// Reads back what the disk really holds.
    private func reopen(_ state: inout State) throws(LogError) {
        let before = state.log.byteCount
        var log = try makeLog()
        try log.syncPoint().perform()
        room.give(before)
        room.count(log.byteCount)
        state.log = log
        state.needsReopening = false
    }

    // MARK: The drain's side

    /// The first offset that is not acknowledged.
    var acknowledged: Offset { state.withLock { $0.acknowledged } }

    /// What can be sent from `offset` on: only what is on disk.
    func read(from offset: Offset, maximumBytes: Int) throws(LogError) -> Reading {
        let (slice, synced) = try state.withLock { (state) throws(LogError) in
            let synced = state.log.syncedOffset
            guard offset < synced else { return (nil as LogSlice?, synced) }
            return (try state.log.locate(from: offset, maximumBytes: maximumBytes, upTo: synced), synced)
        }
        guard let slice else { return .nothing }
        switch try Self.batches(of: slice) {
        case .success(let batches):
            guard let first = batches.first else { return .nothing }
            return intact(batches, first, from: offset)
        case .failure(let damage):
            // What stands before the damage is intact, and is read one by one.
            if maximumBytes > 1 { return try read(from: offset, maximumBytes: 1) }
            return try skipDamage(at: offset, end: synced, reason: damage.reason)
        }
    }

    private struct Damage: Error {
        let reason: String
    }

    private static func batches(of slice: LogSlice) throws(LogError) -> Result<[EncodedBatch], Damage> {
        let bytes: ByteBuffer
        do throws(LogError) {
            bytes = try slice.read()
        } catch {
            guard case .corrupt(let path, let position, let reason) = error else { throw error }
            return .failure(Damage(reason: "\(path) at byte \(position): \(reason)"))
        }
        do throws(RecordBatchError) {
            return .success(try EncodedBatch.split(bytes).whole)
        } catch {
            return .failure(Damage(reason: error.description))
        }
    }

    /// A gap before the first batch is damage that recovery cut out.
    private func intact(_ batches: [EncodedBatch], _ first: EncodedBatch, from offset: Offset) -> Reading {
        guard first.header.baseOffset > offset else { return .batches(batches) }
        return .damage(
            next: first.header.baseOffset, lostRecords: first.header.baseOffset - offset,
            reason: "recovery has cut it out")
    }

    /// The next offset that can be read. The index leads to within a few kilobytes of any record, so few are tried.
    private func skipDamage(at offset: Offset, end: Offset, reason: String) throws(LogError) -> Reading {
        var next = offset.advanced(by: 1)
        while next < end {
            let slice = try state.withLock { (state) throws(LogError) in
                try state.log.locate(from: next, maximumBytes: 1, upTo: end)
            }
            if case .success(let batches) = try Self.batches(of: slice), let first = batches.first {
                next = max(next, first.header.baseOffset)
                break
            }
            next = next.advanced(by: 1)
        }
        return .damage(next: next, lostRecords: next - offset, reason: reason)
    }

    /// Everything before `offset` need not be kept. Does not touch the disk.
    func acknowledge(before offset: Offset, bytes: Int) {
        state.withLock { state in
            guard offset > state.acknowledged else { return }
            state.acknowledged = offset
            let isEmpty = offset >= state.log.logEndOffset
            state.waitingBytes = isEmpty ? 0 : max(0, state.waitingBytes - bytes)
        }
    }

    /// Deletes the segments that are acknowledged as a whole.
    func deleteAcknowledged() throws(LogError) {
        try state.withLock { (state) throws(LogError) in
            let before = state.log.byteCount
            try state.log.deleteSegments(before: state.acknowledged)
            room.give(before - state.log.byteCount)
        }
    }

    // MARK: Both

    var progress: SpoolCheckpoint.Progress {
        SpoolCheckpoint.Progress(epoch: epoch, acknowledged: acknowledged)
    }

    var backlog: Backlog {
        state.withLock { Backlog(records: $0.log.logEndOffset - $0.acknowledged, bytes: $0.waitingBytes) }
    }

    func close() throws(LogError) {
        arrival.finish()
        try state.withLock { (state) throws(LogError) in try state.log.close() }
    }
}
