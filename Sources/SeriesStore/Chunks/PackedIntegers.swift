// A row of signed numbers that are mostly near zero:
//
//      blocks of 32 numbers (the last may have fewer), each
//      ┌────────────┬───────────────────────────────────┐
//      │ width: 8   │ 32 × width bits, zigzag, to a byte │
//      └────────────┴───────────────────────────────────┘
//
// The width is that of the block's widest number; a block of zeros is one byte.

/// Numbers packed in blocks of a common width.
enum PackedIntegers {
    static let blockCount = 32

    static func write(_ numbers: some RandomAccessCollection<Int64>, to writer: inout BitWriter) {
        var rest = numbers[...]
        while !rest.isEmpty {
            let block = rest.prefix(blockCount)
            rest = rest.dropFirst(blockCount)
            let bits = block.reduce(0 as UInt64) { $0 | zigzag($1) }
            let width = 64 - bits.leadingZeroBitCount
            writer.alignToByte()
            writer.write(UInt64(width), width: 8)
            if width > 0 { for number in block { writer.write(zigzag(number), width: width) } }
        }
        writer.alignToByte()
    }

    /// Calls `body` with each of `count` numbers.
    static func read(
        _ count: Int, from reader: inout BitReader, _ body: (Int64) -> Void
    ) throws(ChunkDamage) {
        var remaining = count
        while remaining > 0 {
            reader.alignToByte()
            let width = try reader.read(width: 8)
            guard width <= 64 else { throw .invalidWidth(width) }
            for _ in 0..<min(remaining, blockCount) {
                body(unzigzag(try reader.read(width: Int(width))))
            }
            remaining -= blockCount
        }
        reader.alignToByte()
    }

    /// How many bytes `write` takes, without writing.
    static func byteCount(_ numbers: some RandomAccessCollection<Int64>) -> Int {
        var total = 0
        var rest = numbers[...]
        while !rest.isEmpty {
            let block = rest.prefix(blockCount)
            rest = rest.dropFirst(blockCount)
            let bits = block.reduce(0 as UInt64) { $0 | zigzag($1) }
            total += 1 + (block.count * (64 - bits.leadingZeroBitCount) + 7) / 8
        }
        return total
    }

    /// 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 …
    static func zigzag(_ number: Int64) -> UInt64 {
        UInt64(bitPattern: number << 1 ^ number >> 63)
    }

    static func unzigzag(_ number: UInt64) -> Int64 {
        Int64(bitPattern: number >> 1) ^ -Int64(bitPattern: number & 1)
    }
}
