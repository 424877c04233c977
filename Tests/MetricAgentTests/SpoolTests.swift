import CommitLog
import Glibc
import KafkaProtocol
import MetricModel
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import MetricAgent

@Suite struct SpoolTests {
    private let directory: TemporaryDirectory
    private let cpu: TopicName

    init() throws {
        directory = try TemporaryDirectory("weir spool")
        cpu = try TopicName("metrics.cpu")
    }

    private func open(
        limitBytes: Int = 1 << 30, topics: [String] = ["metrics.cpu"], fileSystem: any FileSystem = POSIXFileSystem()
    ) throws -> Spool {
        try Spool(
            directory: directory.path, limitBytes: limitBytes, topics: topics.map { try TopicName($0) }, key: "host",
            fileSystem: fileSystem)
    }

    private func topic(_ spool: Spool) throws -> SpoolTopic { try #require(spool.topics[cpu]) }

    @discardableResult
    private func append(_ text: String, to spool: Spool) throws -> Offset {
        try topic(spool).append(Array(text.utf8), timestamp: Timestamp(milliseconds: 1_767_225_600_000))
    }

    /// Everything from an offset on, as a drain would send it.
    private func waiting(_ spool: Spool) throws -> [SpooledRecord] {
        let topic = try topic(spool)
        var records: [SpooledRecord] = []
        var next = topic.acknowledged
        while case .batches(let batches) = try topic.read(from: next, maximumBytes: 1000) {
            for batch in batches {
                records += try SpooledRecord.all(of: batch)
                next = batch.header.nextOffset
            }
        }
        return records
    }

    private var logFile: String { directory.appending("topics/metrics.cpu/00000000000000000000.log") }

    @Test func `a record carries the agent, the epoch and its offset as sequence number`() throws {
        let spool = try open()
        #expect(try append("a 1\n", to: spool) == 0)
        #expect(try append("a 2\n", to: spool) == 1)
        let records = try waiting(spool)
        #expect(records.map(\.sequence) == [0, 1])
        #expect(records.map(\.text) == ["a 1\n", "a 2\n"])
        #expect(Set(records.map(\.epoch)) == [0])
        #expect(Set(records.map(\.key)) == ["host"])
        #expect(Set(records.map(\.agent)) == [spool.agent.text])
        #expect(records[0].timestamp == 1_767_225_600_000)
        #expect(AgentID(spool.agent.text) == spool.agent)
    }

    @Test func `what was accepted is there after a crash, with the same identity`() throws {
        var spool: Spool? = try open()
        for number in 0..<20 { try append("a \(number)\n", to: #require(spool)) }
        let agent = spool?.agent
        spool = nil  // Nothing is closed, as when the process is killed.
        let again = try open()
        #expect(again.agent == agent)
        #expect(try waiting(again).map(\.sequence) == Array(0..<20))
        #expect(try append("a 20\n", to: again) == 20)
        #expect(try topic(again).backlog.records == 21)
        #expect(try topic(again).epoch == 0)
    }

    @Test func `after a restart only what was not acknowledged is sent again`() throws {
        var spool: Spool? = try open()
        for number in 0..<5 { try append("a \(number)\n", to: #require(spool)) }
        try topic(#require(spool)).acknowledge(before: 3, bytes: 0)
        try spool?.writeCheckpoint()
        try topic(#require(spool)).acknowledge(before: 4, bytes: 0)
        spool = nil  // The fourth acknowledgement was not written down.
        #expect(try waiting(open()).map(\.sequence) == [3, 4])
    }

    @Test func `a clean close writes down every acknowledgement`() throws {
        var spool: Spool? = try open()
        for number in 0..<5 { try append("a \(number)\n", to: #require(spool)) }
        try topic(#require(spool)).acknowledge(before: 4, bytes: 0)
        try spool?.close()
        #expect(throws: SpoolError.self) { try append("late 1\n", to: #require(spool)) }
        spool = nil
        let again = try open()
        #expect(try waiting(again).map(\.sequence) == [4])
        #expect(try topic(again).recovery.isClean)
    }

    @Test func `a log that is shorter than its checkpoint starts a new epoch`() throws {
        var spool: Spool? = try open()
        for number in 0..<5 { try append("a \(number)\n", to: #require(spool)) }
        try topic(#require(spool)).acknowledge(before: 5, bytes: 0)
        try spool?.close()
        spool = nil
        removeTree(directory.appending("topics"))
        var again: Spool? = try open()
        try append("b 0\n", to: #require(again))
        #expect(try waiting(#require(again)).map(\.epoch) == [1])
        #expect(try waiting(#require(again)).map(\.sequence) == [0])
        again = nil  // The new epoch was on disk before the first record of it.
        #expect(try topic(open()).epoch == 1)
    }

    @Test func `a torn end is cut off and starts a new epoch, since nobody knows what it was`() throws {
        var spool: Spool? = try open()
        for number in 0..<5 { try append("a \(number)\n", to: #require(spool)) }
        spool = nil
        let file = try #require(fopen(logFile, "a"))
        fputs("half a batch", file)
        fclose(file)
        let again = try open()
        #expect(try append("a 5\n", to: again) == 5)
        #expect(try waiting(again).map(\.epoch) == [0, 0, 0, 0, 0, 1])
    }

    @Test func `without its checkpoint a spool sends everything, and new records under an epoch never used`() throws {
        var spool: Spool? = try open()
        try append("a 0\n", to: #require(spool))
        try topic(#require(spool)).acknowledge(before: 1, bytes: 0)
        try spool?.close()
        spool = nil
        removeTree(directory.appending("checkpoint"))
        let again = try open()
        try append("a 1\n", to: again)
        let records = try waiting(again)
        #expect(records.map(\.sequence) == [0, 1])
        #expect(records[0].epoch == 0)
        #expect(records[1].epoch > 1_000_000_000)
    }

    @Test func `a full spool refuses with its directory and limit, and takes again what it has room for`() throws {
        let spool = try open(limitBytes: 512 << 10)
        var random = SeededGenerator()
        // Random text, so that compression does not make room.
        func line() -> String { "a{b=\"\((0..<2000).map { _ in String(random.next(), radix: 36) }.joined())\"} 1\n" }
        var refusal: SpoolError?
        let topic = try topic(spool)
        while refusal == nil {
            do throws(SpoolError) {
                _ = try topic.append(Array(line().utf8), timestamp: .now())
            } catch {
                refusal = error
            }
        }
        #expect(refusal == .full(directory: directory.path, limitBytes: 512 << 10))
        #expect(refusal?.description.contains(directory.path) == true)
        #expect(refusal?.description.contains("512 KiB") == true)
        #expect(spool.usedBytes <= 512 << 10)
        let backlog = topic.backlog
        #expect(backlog.records > 5)
        #expect(backlog.bytes == spool.usedBytes)
        topic.acknowledge(before: Offset(backlog.records), bytes: backlog.bytes)
        try topic.deleteAcknowledged()
        #expect(topic.backlog.bytes == 0)
        try append(line(), to: spool)
    }

    @Test func `a spool that another agent uses is refused`() throws {
        let spool = try open()
        let error = try #require(throws: LogError.self) { try open() }
        #expect(error == .locked(path: directory.appending(".lock"), holder: getpid()))
        withExtendedLifetime(spool) {}
    }

    @Test func `topics of an earlier run are kept and sent`() throws {
        var spool: Spool? = try open()
        try append("a 0\n", to: #require(spool))
        spool = nil
        let again = try open(topics: ["metrics.load"])
        #expect(Set(again.topics.keys.map(\.rawValue)) == ["metrics.cpu", "metrics.load"])
        #expect(try waiting(again).count == 1)
    }

    @Test func `damage on disk costs the damaged records and no others, and is told`() throws {
        let spool = try open()
        for number in 0..<10 { try append("a \(number)\n", to: spool) }
        let topic = try topic(spool)
        guard case .batches(let batches) = try topic.read(from: 0, maximumBytes: 1 << 20) else {
            Issue.record("nothing to read")
            return
        }
        // One byte of the fourth record's value.
        let place = batches[..<4].reduce(0) { $0 + $1.bytes.readableBytes } - 3
        let file = try #require(fopen(logFile, "r+"))
        fseek(file, place, SEEK_SET)
        fputc(0x55, file)
        fclose(file)
        var sequences: [Int64] = []
        var lost: Int64 = 0
        var next: Offset = 0
        reading: while true {
            switch try topic.read(from: next, maximumBytes: 1 << 20) {
            case .nothing: break reading
            case .damage(let after, let lostRecords, _):
                lost += lostRecords
                next = after
            case .batches(let batches):
                for batch in batches {
                    sequences += try SpooledRecord.all(of: batch).map(\.sequence)
                    next = batch.header.nextOffset
                }
            }
        }
        #expect(sequences == [0, 1, 2, 4, 5, 6, 7, 8, 9])
        #expect(lost == 1)
    }

    @Test func `whichever disk operation fails, what was accepted is there afterwards, once`() throws {
        /// Accepts five records, acknowledges two, writes the checkpoint and goes; returns what was accepted.
        func scenario(_ disk: FaultyFileSystem, in path: String) -> [String] {
            var accepted: [String] = []
            guard
                let spool = try? Spool(
                    directory: path, limitBytes: 1 << 30, topics: [cpu], key: "host", fileSystem: disk),
                let topic = spool.topics[cpu]
            else { return [] }
            for number in 0..<5 {
                let text = "a \(number)\n"
                if (try? topic.append(Array(text.utf8), timestamp: .now())) != nil { accepted.append(text) }
            }
            topic.acknowledge(before: 2, bytes: 0)
            try? spool.writeCheckpoint()
            try? spool.close()
            return accepted
        }
        let healthy = FaultyFileSystem()
        #expect(scenario(healthy, in: directory.appending("healthy")).count == 5)
        #expect(healthy.operationCount > 20)
        for operation in 1...healthy.operationCount {
            let path = directory.appending("spool-\(operation)")
            let disk = FaultyFileSystem()
            disk.failOperation(operation)
            let accepted = scenario(disk, in: path)
            let spool = try Spool(directory: path, limitBytes: 1 << 30, topics: [cpu], key: "host")
            let records = try waiting(spool)
            // The first two may be acknowledged; what was refused may be there all the same.
            let texts = records.map(\.text)
            for text in accepted.dropFirst(2) {
                #expect(texts.contains(text), "\(text) after \(disk.operations[operation - 1])")
            }
            #expect(Set(records.map { [$0.epoch, $0.sequence] }).count == records.count)
            #expect(Set(texts).count == texts.count)
        }
    }

    @Test func `a record whose sync failed is refused and not sent, and the next one works again`() throws {
        let disk = FaultyFileSystem()
        let spool = try open(fileSystem: disk)
        try append("a 0\n", to: spool)
        disk.setRule { $0.kind == .sync ? .fail(EIO) : .proceed }
        let error = try #require(throws: SpoolError.self) { try append("a 1\n", to: spool) }
        #expect(error.description.contains("metrics.cpu"))
        #expect(try waiting(spool).map(\.text) == ["a 0\n"])
        disk.setRule { _ in .proceed }
        try append("a 2\n", to: spool)
        // What was written before the failed sync is read back from disk, and may well be there.
        #expect(try waiting(spool).map(\.sequence) == [0, 1, 2])
    }
}

@Suite struct SpoolCheckpointTests {
    @Test func `the checkpoint is text that a person can read`() throws {
        var checkpoint = SpoolCheckpoint()
        checkpoint.topics[try TopicName("metrics.load")] = .init(epoch: 1, acknowledged: 17)
        checkpoint.topics[try TopicName("metrics.cpu")] = .init(epoch: 0, acknowledged: 8640)
        #expect(
            checkpoint.text == """
                weir spool 1
                topic metrics.cpu epoch 0 acknowledged 8640
                topic metrics.load epoch 1 acknowledged 17
                end

                """)
        #expect(SpoolCheckpoint(checkpoint.text) == checkpoint)
    }

    @Test(
        arguments: [
            "", "weir spool 1\n", "weir spool 2\nend\n", "weir spool 1\ntopic a epoch 0 acknowledged\nend\n",
            "weir spool 1\ntopic a epoch -1 acknowledged 1\nend\n",
            "weir spool 1\ntopic / epoch 0 acknowledged 1\nend\n",
            "weir spool 1\ntopic a epoch 0 acknowledged 1\n",
        ])
    func `a checkpoint that is not whole is none`(text: String) {
        #expect(SpoolCheckpoint(text) == nil)
    }
}
