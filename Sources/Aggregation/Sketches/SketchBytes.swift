/// Why bytes are no sketch.
public enum SketchError: Error, Hashable, CustomStringConvertible {
    case version(UInt8)
    case truncated
    case damaged(String)

    public var description: String {
        switch self {
        case .version(let version): "a sketch of version \(version), which this program does not know"
        case .truncated: "a sketch that was cut off"
        case .damaged(let part): "a damaged sketch: \(part)"
        }
    }
}

/// Appends the parts of a sketch to bytes.
struct SketchWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append(byte: UInt8) { bytes.append(byte) }

    mutating func append(word: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }

    mutating func append(double: Double) { append(word: double.bitPattern) }

    mutating func append(varint: UInt64) {
        var rest = varint
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads them back; every read is checked.
struct SketchReader {
    private let bytes: ContiguousArray<UInt8>
    private var position = 0

    init(_ bytes: some Sequence<UInt8>) { self.bytes = ContiguousArray(bytes) }

    var isAtEnd: Bool { position == bytes.count }

    mutating func byte() throws(SketchError) -> UInt8 {
        guard position < bytes.count else { throw .truncated }
        position += 1
        return bytes[position - 1]
    }

    mutating func word() throws(SketchError) -> UInt64 {
        var word: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 8) { word |= UInt64(try byte()) << shift }
        return word
    }

    mutating func double() throws(SketchError) -> Double { Double(bitPattern: try word()) }

    mutating func varint() throws(SketchError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            let next = try byte()
            // The tenth byte has room for one bit.
            if shift == 63, next > 1 { throw .damaged("a number of more than 64 bits") }
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
        }
        throw .damaged("a number of more than 64 bits")
    }
}
