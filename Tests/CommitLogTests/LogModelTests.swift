import CommitLog
import NIOCore
import RecordBatch
import TestKit
import Testing

/// A log against the simplest thing that behaves like one: an array of records.
@Suite struct LogModelTests {
    private struct Model {
        var records: [Record] = []
        var start: Offset { records.first?.offset ?? end }
        var end: Offset = 0
    }

    @Test func anyMixOfOperationsBehavesLikeAnArray() throws {
        var generator = SeededGenerator()
        for _ in 0..<6 { try run(steps: 250, &generator) }
    }

    private func run(steps: Int, _ generator: inout SeededGenerator) throws {
        let directory = try TemporaryDirectory()
        let configuration = LogConfiguration(
            segmentBytes: Int.random(in: 300...6000, using: &generator), segmentAge: .seconds(100),
            indexIntervalBytes: Int.random(in: 0...1000, using: &generator))
        var model = Model()
        var log: Log? = try Log(directory: directory.path, configuration: configuration)
        for _ in 0..<steps {
            let choice = Int.random(in: 0..<100, using: &generator)
            if choice < 4 {
                // Closed or crashed, and opened again, sometimes with a torn write at the end.
                var old = log.take()
                if choice < 2 {
                    try old?.close()
                } else if choice == 2, let segment = try LogMaking.names(in: directory.path, suffix: ".log").last {
                    let path = directory.appending(segment)
                    let torn = try batch(&generator, now: 0).bytes.readableBytesView
                    try LogMaking.write(
                        try LogMaking.fileBytes(path) + torn.prefix(Int.random(in: 0..<torn.count, using: &generator)),
                        to: path)
                }
                old = nil
                log = try Log(directory: directory.path, configuration: configuration)
                #expect(log?.logEndOffset == model.end)
            }
            guard var open = log.take() else { return }
            try step(choice, &open, &model, &generator)
            log = consume open
        }
    }

    private func step(_ choice: Int, _ log: inout Log, _ model: inout Model, _ generator: inout SeededGenerator) throws
    {
        switch choice {
        case 4..<8:
            try log.syncPoint().perform()
            #expect(log.syncedOffset == model.end)
        case 8..<10:
            try log.roll()
        case 10..<13:
            let limit = model.start.advanced(by: Int64.random(in: 0...10, using: &generator))
            try log.deleteSegments(before: limit)
            #expect(log.logStartOffset <= max(limit, model.start))
            model.records.removeAll { $0.offset < log.logStartOffset }
        case 13..<40:
            let offset = Offset(Int64.random(in: log.logStartOffset.rawValue...model.end.rawValue, using: &generator))
            let read = try log.records(from: offset, maximumBytes: Int.random(in: 1...3000, using: &generator))
            #expect(read == model.records.filter { $0.offset >= offset })
        case 40..<50:
            let timestamp = now(model) + Int64.random(in: -200_000...1000, using: &generator)
            let expected = model.records.first { $0.timestamp >= timestamp }
            #expect(try log.offset(forTimestamp: timestamp)?.offset == expected?.offset)
        default:
            let batch = try batch(&generator, now: now(model))
            let base = try log.append(batch, leaderEpoch: 1)
            #expect(base == model.end)
            for var record in try batch.records() {
                record.offset = base.advanced(by: record.offset.rawValue)
                model.records.append(record)
            }
            model.end = base.advanced(by: Int64(batch.header.recordCount))
        }
        #expect(log.logEndOffset == model.end)
        #expect(model.records.isEmpty || log.logStartOffset == model.start)
    }

    private func now(_ model: Model) -> Int64 {
        LogMaking.start + model.end.rawValue * 1000
    }

    private func batch(_ generator: inout SeededGenerator, now: Int64) throws -> EncodedBatch {
        let codec = CompressionCodec.allCases.randomElement(using: &generator) ?? .none
        var builder = RecordBatchBuilder(compression: codec)
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            let value = ByteBuffer(
                repeating: UInt8.random(in: 0...255, using: &generator),
                count: Int.random(in: 0...300, using: &generator))
            builder.append(
                timestamp: now + Int64.random(in: -50_000...50_000, using: &generator), key: nil,
                value: Bool.random(using: &generator) ? value : nil)
        }
        return try builder.finish()
    }
}
