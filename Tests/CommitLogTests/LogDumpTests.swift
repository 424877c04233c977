import CommitLog
import NIOCore
import RecordBatch
import TestKit
import Testing

/// What a log's files say in words.
@Suite struct LogDumpTests {
    let directory: TemporaryDirectory
    let path: String
    var first: String { path + "/00000000000000000000.log" }

    init() throws {
        directory = try TemporaryDirectory()
        path = directory.appending("log")
        var log = try Log(directory: path, configuration: LogMaking.small, fileSystem: FaultyFileSystem())
        for number in 0..<13 { _ = try log.append(number: number) }
        try log.advanceLogStart(to: 1).perform()
        try log.close()
    }

    private struct Found {
        var files: [String] = []
        var batches: [LogDump.Batch] = []
        var records: [Record] = []
        var entries: [LogDump.IndexEntry] = []
        var texts: [String] = []
        var damage: [LogDump.Damage] = []

        var faultCount: Int { damage.count + entries.count { $0.fault != nil } }
    }

    private func dump(_ path: String, includesRecords: Bool = false) throws -> Found {
        var found = Found()
        try LogDump(path, includesRecords: includesRecords).run { item in
            switch item {
            case .file(let file): found.files.append(String(file.path.split(separator: "/").last ?? ""))
            case .batch(let batch): found.batches.append(batch)
            case .record(let record): found.records.append(record)
            case .indexEntry(let entry): found.entries.append(entry)
            case .text(let text): found.texts.append(text)
            case .damage(let damage): found.damage.append(damage)
            }
        }
        return found
    }

    @Test func aDirectoryIsDumpedFileByFile() throws {
        let found = try dump(path, includesRecords: true)
        #expect(found.faultCount == 0)
        var files = ["leader-epoch-checkpoint", "log-start-offset", "recovery-point"]
        for number in ["00", "05", "10"] {
            let suffixes = [".log", ".index", ".timeindex"] + (number == "00" ? [] : [".snapshot"])
            files += suffixes.map { "000000000000000000\(number)\($0)" }
        }
        #expect(found.files == files + ["00000000000000000013.snapshot"])
        #expect(found.batches.map(\.header.baseOffset) == (0..<13).map { Offset($0) })
        #expect(found.batches.map(\.position).prefix(3) == [0, 170, 340])
        #expect(found.records.map(\.offset) == (0..<13).map { Offset($0) })
        #expect(found.texts.first == "0\n1\n0 0")
        #expect(found.texts.contains { $0.hasPrefix("1 1 ") })
        #expect(found.entries.count > 12)
    }

    @Test func everyFlippedBitIsFound() throws {
        for name in try LogMaking.names(in: path) {
            let intact = try LogMaking.fileBytes(path + "/" + name)
            for byte in intact.indices where !name.hasSuffix(".log") || byte < 70 || byte % 10 == 0 {
                // The leader epoch is in no checksum.
                if name.hasSuffix(".log"), (12..<16).contains(byte % LogMaking.batchBytes) { continue }
                var bytes = intact
                bytes[byte] ^= 1
                try LogMaking.write(bytes, to: path + "/" + name)
                #expect(try dump(path).faultCount > 0, "byte \(byte) of \(name)")
            }
            for length in stride(from: 1, to: intact.count, by: 7) {
                try LogMaking.write(intact.prefix(length), to: path + "/" + name)
                let found = try dump(path)
                // A file cut between two batches or entries lacks something, but nothing in it is wrong.
                let isBetween =
                    switch name.split(separator: ".").last {
                    case "log": length % LogMaking.batchBytes == 0
                    case "index": length % 8 == 0
                    case "timeindex": length % 12 == 0
                    default: false
                    }
                if !isBetween { #expect(found.faultCount > 0, "\(length) bytes of \(name)") }
            }
            try LogMaking.write(intact, to: path + "/" + name)
        }
        #expect(try dump(path).faultCount == 0)
    }

    /// Found by `scripts/fuzz dump`: such a position was read at, which ended the dump.
    @Test func aPositionBelowZeroInAnIndexIsAFault() throws {
        let index = path + "/00000000000000000010.index"
        let entries: [Int32] = [1, -100, 2, -50]
        try LogMaking.write(entries.flatMap { withUnsafeBytes(of: $0.bigEndian, Array.init) }, to: index)
        let faults = try dump(index).entries.map(\.fault)
        #expect(faults == ["it does not come after the entry before it", "the position is below 0"])
    }

    @Test func whatFollowsDamageIsDumped() throws {
        var bytes = try LogMaking.fileBytes(first)
        bytes[2 * LogMaking.batchBytes + 100] ^= 1
        try LogMaking.write(bytes, to: first)
        let found = try dump(first)
        #expect(found.batches.map(\.header.baseOffset) == [0, 1, 3, 4])
        #expect(found.damage.map(\.position) == [2 * LogMaking.batchBytes])
        #expect(found.damage.map(\.byteCount) == [LogMaking.batchBytes])
        #expect(found.damage.first?.reason.contains("CRC-32C") ?? false)
    }

    @Test func aTornTailIsToldFromDamage() throws {
        let last = path + "/00000000000000000010.log"
        try LogMaking.write(try LogMaking.fileBytes(last).dropLast(5), to: last)
        #expect(try dump(last).damage.first?.reason.contains("cut short") ?? false)
    }

    @Test func whatIsNoLogIsAnError() throws {
        try LogMaking.write([1], to: directory.appending("other"))
        for path in [directory.path, directory.appending("other"), directory.appending("missing")] {
            do {
                _ = try LogDump(path)
                Issue.record("no error")
            } catch {
                #expect(error.description.contains(path))
            }
        }
    }

    @Test func bytesAreMadePrintable() {
        func text(_ bytes: [UInt8], _ maximum: Int = 200) -> String {
            PrintableBytes(ByteBuffer(bytes: bytes), maximumBytes: maximum).description
        }
        #expect(PrintableBytes(nil).description == "null")
        #expect(text([]) == #""""#)
        #expect(text(Array("a\"b\\\n\u{1}é".utf8)) == #""a\"b\\\n\u{1}é""#)
        #expect(text([0x80, 0x01]) == "0x8001")
        #expect(text(Array("hello".utf8), 2) == #""he" and 3 bytes more"#)
        // Cut within a character.
        #expect(text(Array("aé".utf8), 2) == #""a" and 1 bytes more"#)
    }
}
