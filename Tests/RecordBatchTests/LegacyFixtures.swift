import FoundationEssentials
import NIOCore
import TestKit
import Testing

@testable import RecordBatch

/// A message set made by kafka-python (`Fixtures/make_legacy_golden.py`), with what it holds.
struct LegacyGolden: Sendable, CustomTestStringConvertible {
    var name: String
    var format: LegacyMessageFormat
    var codec: CompressionCodec
    var records: [Record] = []
    var bytes = ByteBuffer()

    var testDescription: String { name }
    var hasAppendTime: Bool { name.hasPrefix("append-time") }

    static let all: [LegacyGolden] = {
        do {
            return try load()
        } catch {
            fatalError("golden-message-sets.txt: \(error)")
        }
    }()

    private struct BadFixture: Error {
        let line: Substring
    }

    private static func load() throws -> [LegacyGolden] {
        let directory = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let path = directory.joined(separator: "/") + "/Fixtures/golden-message-sets.txt"
        var all: [LegacyGolden] = []
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            var fields = line.split(separator: " ")
            let kind = fields.removeFirst()
            switch kind {
            case "#":
                continue
            case "set":
                guard fields.count == 3, let format = Int8(fields[1]).flatMap(LegacyMessageFormat.init),
                    let codec = CompressionCodec(name: fields[2])
                else { throw BadFixture(line: line) }
                all.append(LegacyGolden(name: String(fields[0]), format: format, codec: codec))
            case "record":
                guard fields.count == 4, let offset = Int64(fields[0]), let timestamp = Int64(fields[1]), !all.isEmpty
                else { throw BadFixture(line: line) }
                all[all.count - 1].records.append(
                    Record(
                        offset: Offset(offset), timestamp: timestamp, key: field(fields[2]), value: field(fields[3])))
            case "bytes" where !all.isEmpty:
                all[all.count - 1].bytes = ByteBuffer(bytes: unhex(fields[0]))
            default:
                throw BadFixture(line: line)
            }
        }
        return all
    }

    private static func field(_ text: Substring) -> ByteBuffer? {
        if text == "null" { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let bytes = unhex(parts[1])
        let count = parts.count > 2 ? Int(parts[2]) ?? 0 : 1
        return ByteBuffer(bytes: (0..<count).flatMap { _ in bytes })
    }

    private static func unhex(_ text: Substring) -> [UInt8] {
        let digits = text.utf8.map {
            UInt8($0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10)
        }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// Messages put together by hand, right or wrong.
enum LegacyMaking {
    /// One message with a CRC that fits; `format` may be any magic byte.
    static func message(
        format: Int8 = 1, offset: Int64 = 0, attributes: UInt8 = 0, timestamp: Int64 = 1_000, key: ByteBuffer? = nil,
        value: ByteBuffer? = nil
    ) -> ByteBuffer {
        var covered = ByteBuffer()
        covered.writeInteger(format)
        covered.writeInteger(attributes)
        if format != 0 { covered.writeInteger(timestamp) }
        for field in [key, value] {
            covered.writeInteger(Int32(field?.readableBytes ?? -1))
            if let field { covered.writeImmutableBuffer(field) }
        }
        var message = ByteBuffer()
        message.writeInteger(offset)
        message.writeInteger(Int32(covered.readableBytes + 4))
        message.writeInteger(covered.withUnsafeReadableBytes { CRC32.checksum($0) })
        message.writeBuffer(&covered)
        return message
    }

    static func set(_ messages: [ByteBuffer]) -> ByteBuffer {
        var set = ByteBuffer()
        for message in messages { set.writeImmutableBuffer(message) }
        return set
    }

    /// A wrapper around any bytes.
    static func wrapper(
        _ inside: ByteBuffer, codec: CompressionCodec = .gzip, format: Int8 = 1, offset: Int64 = 0,
        attributes: UInt8 = 0, timestamp: Int64 = 1_000
    ) throws -> ByteBuffer {
        var compressed = ByteBuffer()
        try inside.withUnsafeReadableBytes { bytes in
            try Compression.compress(bytes, with: codec, into: &compressed)
        }
        return message(
            format: format, offset: offset, attributes: attributes | codec.rawValue, timestamp: timestamp,
            value: compressed)
    }

    /// The set with the CRC of each message that is there whole made to fit its bytes.
    static func withRightChecksums(_ set: ByteBuffer) -> ByteBuffer {
        var set = set
        var index = set.readerIndex
        while let size = set.getInteger(at: index + 8, as: Int32.self), size > 4,
            let covered = set.getSlice(at: index + 16, length: Int(size) - 4)
        {
            set.setInteger(covered.withUnsafeReadableBytes { CRC32.checksum($0) }, at: index + 12)
            index += 12 + Int(size)
        }
        return set
    }
}
