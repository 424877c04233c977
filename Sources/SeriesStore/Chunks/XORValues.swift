// Doubles of any bits, each as its difference from the one before (T. Pelkonen et al., "Gorilla: a fast, scalable,
// in-memory time series database", VLDB 2015, section 4.1.2):
//
//      first value: 64 bits; then for each value, of the XOR with the one before:
//      0                                          it is zero
//      10 │ meaningful bits                       they lie where the last ones lay
//      11 │ leading zeros: 5 │ length - 1: 6 │ meaningful bits

/// Doubles packed by what changes from one to the next.
enum XORValues {
    static func write(_ values: some Collection<Double>, to writer: inout BitWriter) {
        guard let first = values.first else { return }
        var previous = first.bitPattern
        writer.write(previous, width: 64)
        var leading = 0
        var length = 0
        for value in values.dropFirst() {
            let difference = previous ^ value.bitPattern
            previous = value.bitPattern
            guard difference != 0 else {
                writer.write(0, width: 1)
                continue
            }
            // Five bits for the leading zeros.
            let zeros = min(difference.leadingZeroBitCount, 31)
            let trailing = difference.trailingZeroBitCount
            if length > 0, zeros >= leading, trailing >= 64 - leading - length {
                writer.write(0b10, width: 2)
            } else {
                leading = zeros
                length = 64 - zeros - trailing
                writer.write(0b11, width: 2)
                writer.write(UInt64(leading), width: 5)
                writer.write(UInt64(length - 1), width: 6)
            }
            writer.write(difference >> UInt64(64 - leading - length), width: length)
        }
        writer.alignToByte()
    }

    static func read(
        _ count: Int, from reader: inout BitReader, _ body: (Double) -> Void
    ) throws(ChunkDamage) {
        guard count > 0 else { return }
        reader.alignToByte()
        var previous = try reader.read(width: 64)
        body(Double(bitPattern: previous))
        var leading = 0
        var length = 0
        for _ in 1..<count {
            if try reader.read(width: 1) == 1 {
                if try reader.read(width: 1) == 1 {
                    leading = Int(try reader.read(width: 5))
                    length = Int(try reader.read(width: 6)) + 1
                }
                guard length > 0, leading + length <= 64 else { throw .invalidWidth(UInt64(leading + length)) }
                previous ^= try reader.read(width: length) << UInt64(64 - leading - length)
            }
            body(Double(bitPattern: previous))
        }
        reader.alignToByte()
    }
}
