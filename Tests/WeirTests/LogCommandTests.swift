import CommitLog
import FoundationEssentials
import NIOCore
import RecordBatch
import TestKit
import Testing

@Suite("weir log")
struct LogCommandTests {
    let weir: WeirProcesses
    let path: String
    var segment: String { path + "/00000000000000000000.log" }

    init() throws {
        weir = try WeirProcesses()
        path = weir.directory.appending("metrics.cpu-0")
        var log = try Log(directory: path, configuration: LogConfiguration(indexIntervalBytes: 1))
        for number in 0..<3 {
            var builder = RecordBatchBuilder(
                compression: number == 1 ? .lz4 : .none, producerID: 7, producerEpoch: 0, baseSequence: 2)
            for index in 0..<2 {
                builder.append(
                    timestamp: 1_700_000_000_000 + Int64(number), key: ByteBuffer(string: "host"),
                    value: ByteBuffer(string: "load1 \(number).\(index)\n"),
                    headers: [RecordHeader(key: "raw", value: ByteBuffer(bytes: [0xff, 0]))])
            }
            _ = try log.append(try builder.finish(), leaderEpoch: 4)
        }
        try log.close()
    }

    @Test("a directory is dumped in words")
    func directory() async throws {
        let result = try await weir.run(["log", "dump", path, "--records"])
        #expect(result.status == .exited(0), "\(result.error)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix(segment + ": ") })
        #expect(lines.contains { $0.hasPrefix(path + "/00000000000000000000.timeindex: ") })
        let batch = try #require(lines.first { $0.contains("offsets 2 to 3") })
        #expect(batch.contains("2 records"))
        #expect(batch.contains("lz4"))
        #expect(batch.contains("producer 7 epoch 0, sequence 2 to 3"))
        #expect(batch.contains("leader epoch 4"))
        let record = try #require(lines.first { $0.contains("offset 3 ") })
        #expect(record.contains("2023-11-14T22:13:20.001Z"))
        #expect(record.contains(#"key "host"  value "load1 1.1\n"  headers raw=0xff00"#))
        #expect(lines.last == "3 batches, 6 records, no damage")
    }

    @Test("JSON is an object a line")
    func json() async throws {
        struct Row: Decodable {
            let kind: String
            let offset: Int64?
            let value: String?
        }
        let result = try await weir.run(["log", "dump", segment, "--records", "--format", "json"])
        #expect(result.status == .exited(0), "\(result.error)")
        let rows = try result.output.split(separator: "\n").map {
            try JSONDecoder().decode(Row.self, from: Data($0.utf8))
        }
        #expect(rows.map(\.kind).filter { $0 == "batch" }.count == 3)
        #expect(rows.filter { $0.kind == "record" }.map(\.offset) == [0, 1, 2, 3, 4, 5])
        #expect(rows.contains { $0.value == "load1 2.0\n" })
    }

    @Test("damage is described, and the status says so")
    func damage() async throws {
        var bytes = try Data(contentsOf: URL(filePath: segment))
        bytes[100] ^= 1
        try bytes.write(to: URL(filePath: segment))
        let result = try await weir.run(["log", "dump", segment])
        #expect(result.status == .exited(1))
        #expect(result.output.contains("position 0: DAMAGED"))
        #expect(result.output.contains("CRC"))
        #expect(result.output.contains("offsets 4 to 5"))
        #expect(result.output.contains("2 batches, 4 records, 1 place is damaged"))
    }

    @Test("what is no log is named")
    func noLog() async throws {
        for path in [weir.directory.path, weir.directory.appending("missing")] {
            let result = try await weir.run(["log", "dump", path])
            #expect(result.status == .exited(1))
            #expect(result.error.contains(path))
        }
    }
}
