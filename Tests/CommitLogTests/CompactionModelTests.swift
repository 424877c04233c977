import CommitLog
import NIOCore
import RecordBatch
import TestKit
import Testing

/// Compaction against a dictionary: whatever is compacted when, each key says what was said last.
@Suite struct CompactionModelTests {
    private struct Model {
        var all: [Offset: Record] = [:]
        /// Each key's last record.
        var latest: [ByteBuffer: Record] = [:]
        var end: Offset = 0
        var now = LogMaking.start
    }

    @Test func anyMixOfOperationsLeavesEachKeysLastRecord() throws {
        var generator = SeededGenerator()
        for _ in 0..<8 { try run(steps: 150, &generator) }
    }

    private func run(steps: Int, _ generator: inout SeededGenerator) throws {
        let directory = try TemporaryDirectory()
        let configuration = LogConfiguration(
            segmentBytes: Int.random(in: 300...4000, using: &generator), segmentAge: nil,
            indexIntervalBytes: Int.random(in: 0...1000, using: &generator))
        var policy = CompactionPolicy(minimumDirtyRatio: [0, 0.3].randomElement(using: &generator) ?? 0)
        policy.deleteRetentionMilliseconds = 20_000
        policy.producerExpirationMilliseconds = 50_000
        policy.mapBytes = [64, 400, 1 << 20].randomElement(using: &generator) ?? 0
        var model = Model()
        func open() throws -> Log {
            try Log(directory: directory.path, configuration: configuration, fileSystem: FaultyFileSystem())
        }
        var log = try open()
        for _ in 0..<steps {
            model.now += Int64.random(in: 0...2000, using: &generator)
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                if Bool.random(using: &generator) { try log.close() }
                log = try open()
                #expect(log.recovery.cuts.isEmpty && log.recovery.rebuiltIndexes.isEmpty)
            case 1...3:
                if Bool.random(using: &generator) { try log.roll() }
                let dirty = log.logEndOffset.advanced(by: -1)
                try log.compact(policy, now: model.now)
                try check(log, model, policy)
                if policy.minimumDirtyRatio == 0, log.activeSegmentByteCount == 0 {
                    try checkCompact(log, upTo: dirty)
                }
            default:
                try append(to: &log, &model, &generator)
            }
            #expect(log.logEndOffset == model.end)
            #expect(log.logStartOffset == 0)
        }
        try log.compact(policy, now: model.now)
        try check(log, model, policy)
        // A while later no tombstone is left, but where it is active.
        try log.roll()
        try log.compact(CompactionPolicy(minimumDirtyRatio: 0, deleteRetentionMilliseconds: 0), now: model.now)
        try log.compact(
            CompactionPolicy(minimumDirtyRatio: 0, deleteRetentionMilliseconds: 0), now: model.now + 1_000_000)
        let expected = model.latest.values.filter { $0.value != nil }.sorted { $0.offset < $1.offset }
        #expect(try log.records() == expected)
    }

    /// Everything that is there was appended so, and nothing is missing that counts.
    private func check(_ log: borrowing Log, _ model: Model, _ policy: CompactionPolicy) throws {
        let records = try log.records()
        for record in records { #expect(record == model.all[record.offset]) }
        let offsets = Set(records.map(\.offset))
        for record in model.latest.values where !offsets.contains(record.offset) {
            #expect(record.value == nil, "\(record.text) is missing")
        }
        // No value comes back because its tombstone went first.
        var last: [ByteBuffer: Record] = [:]
        for record in records { record.key.map { last[$0] = record } }
        for (key, record) in last where model.latest[key]?.value == nil {
            #expect(record.value == nil, "\(record.text) has come back")
        }
    }

    private func checkCompact(_ log: borrowing Log, upTo end: Offset) throws {
        let keys = try log.records().filter { $0.offset <= end }.compactMap(\.key)
        #expect(keys.count == Set(keys).count)
    }

    private func append(to log: inout Log, _ model: inout Model, _ generator: inout SeededGenerator) throws {
        let codec = CompressionCodec.allCases.randomElement(using: &generator) ?? .none
        let producer = Bool.random(using: &generator) ? Int64.random(in: 0..<3, using: &generator) : -1
        var builder = RecordBatchBuilder(
            compression: codec, producerID: producer, producerEpoch: producer < 0 ? -1 : 0,
            baseSequence: producer < 0 ? -1 : Int32(truncatingIfNeeded: model.end.rawValue))
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            let value = ByteBuffer(
                repeating: UInt8.random(in: 0...255, using: &generator),
                count: Int.random(in: 0...100, using: &generator))
            builder.append(
                timestamp: model.now + Int64.random(in: -500...500, using: &generator),
                key: Int.random(in: 0..<50, using: &generator) == 0
                    ? nil : ByteBuffer(string: "key\(Int.random(in: 0..<20, using: &generator))"),
                value: Int.random(in: 0..<4, using: &generator) == 0 ? nil : value)
        }
        let batch = try builder.finish()
        let base = try log.append(batch)
        for var record in try batch.records() {
            record.offset = base.advanced(by: record.offset.rawValue)
            model.all[record.offset] = record
            if let key = record.key { model.latest[key] = record }
        }
        model.end = base.advanced(by: Int64(batch.header.recordCount))
    }
}
