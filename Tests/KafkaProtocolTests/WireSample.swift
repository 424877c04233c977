import TestKit

@testable import ProtocolGenerator

/// Writes random messages straight from the schemas, by an encoder of the test's own: a second reading of the schema that
/// the generated code has to agree with. The bytes are canonical, so encoding what was decoded must give them again.
struct WireSample {
    let schema: MessageSchema
    let version: Int
    /// Puts tagged fields that no schema knows behind each structure; the bytes are then not canonical.
    var hasUnknownTags = false
    private(set) var bytes: [UInt8] = []
    private var random: SeededGenerator

    /// The same seed gives the same values, with and without unknown tags.
    init(_ schema: MessageSchema, version: Int, seed: UInt64, hasUnknownTags: Bool = false) {
        self.schema = schema
        self.version = version
        self.hasUnknownTags = hasUnknownTags
        random = SeededGenerator(seed: seed)
        write(schema.structure)
    }

    private var isFlexible: Bool { schema.isFlexible(version) }

    private mutating func write(_ structure: Structure) {
        for field in structure.fields where field.tag == nil && field.versions.contains(version) {
            if let nullable = field.nullable, nullable.contains(version), Bool.random(using: &random) {
                writeNull(field.type)
            } else {
                if case .structure = field.type, field.nullable?.contains(version) == true { bytes.append(1) }
                write(field.type)
            }
        }
        if isFlexible { writeTags(structure) }
    }

    private mutating func writeTags(_ structure: Structure) {
        var tagged: [(tag: UInt32, value: [UInt8])] = []
        for field in structure.fields where field.versions.contains(version) {
            guard let tag = field.tag, Bool.random(using: &random) else { continue }
            let before = bytes
            bytes = []
            writeNonDefault(field.type)
            tagged.append((UInt32(tag), bytes))
            bytes = before
        }
        if hasUnknownTags {
            tagged.append((77, []))
            tagged.append((300, [1, 2, 3]))
            tagged.append((UInt32.max, [0xFF]))
        }
        writeVarint(UInt32(tagged.count))
        for (tag, value) in tagged {
            writeVarint(tag)
            writeVarint(UInt32(value.count))
            bytes += value
        }
    }

    /// A value that cannot be the field's default, since a default is not written at all.
    private mutating func writeNonDefault(_ type: FieldType) {
        switch type {
        case .bool: bytes.append(1)
        case .errorCode, .int16: writeInteger(Int16.random(in: 1...Int16.max, using: &random))
        case .int64: writeInteger(Int64.random(in: 1...Int64.max, using: &random))
        case .array(let element):
            writeLength(1, bytesOfLength: 4)
            write(element)
        default: write(type)
        }
    }

    private mutating func writeNull(_ type: FieldType) {
        switch type {
        case .string: writeLength(-1, bytesOfLength: 2)
        case .structure: bytes.append(0xFF)
        default: writeLength(-1, bytesOfLength: 4)
        }
    }

    private mutating func write(_ type: FieldType) {
        switch type {
        case .bool: bytes.append(Bool.random(using: &random) ? 1 : 0)
        case .int8: bytes.append(UInt8.random(in: .min ... .max, using: &random))
        case .int16, .errorCode: writeInteger(Int16.random(in: .min ... .max, using: &random))
        case .int32: writeInteger(Int32.random(in: .min ... .max, using: &random))
        case .int64: writeInteger(Int64.random(in: .min ... .max, using: &random))
        case .uuid: for _ in 0..<2 { writeInteger(Int64.random(in: .min ... .max, using: &random)) }
        case .string:
            let text = Array(randomText().utf8)
            writeLength(text.count, bytesOfLength: 2)
            bytes += text
        case .bytes, .records:
            let count = Int.random(in: 0...200, using: &random)
            writeLength(count, bytesOfLength: 4)
            for _ in 0..<count { bytes.append(UInt8.random(in: .min ... .max, using: &random)) }
        case .structure(let structure):
            write(structure)
        case .array(let element):
            let count = Int.random(in: 0...3, using: &random)
            writeLength(count, bytesOfLength: 4)
            for _ in 0..<count { write(element) }
        }
    }

    private mutating func randomText() -> String {
        let pieces = ["", "a", "metrics.cpu", "ß", "日本", "🙂", "\u{0}", "host-1"]
        let text = (0..<3).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
        // Now and then longer than one byte of a varint can say.
        return Int.random(in: 0..<8, using: &random) == 0 ? text + String(repeating: "x", count: 150) : text
    }

    private mutating func writeLength(_ length: Int, bytesOfLength: Int) {
        if isFlexible {
            writeVarint(UInt32(length + 1))
        } else if bytesOfLength == 2 {
            writeInteger(Int16(length))
        } else {
            writeInteger(Int32(length))
        }
    }

    private mutating func writeVarint(_ value: UInt32) {
        var rest = value
        while rest > 0x7F {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    private mutating func writeInteger(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.bigEndian) { bytes += Array($0) }
    }
}

/// The schemas by the names of their messages.
let schemasByName: [String: MessageSchema] = Dictionary(
    uniqueKeysWithValues: Catalog.messages.map { ($0.structure.name, $0) })
