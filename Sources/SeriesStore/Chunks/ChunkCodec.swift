internal import MetricModel

// The samples of one series over a part of one hour, in order of time, each timestamp once:
//
//      ┌──────────────┬────────┬───────────────────────────────────────┬──────────────────────────┐
//      │ encoding: 8  │ places │ timestamps                            │ values                   │
//      │              │ 8, not │ first: 64 │ first step: varint │       │ see below                │
//      │              │ for 2  │ changes of the step: packed integers  │                          │
//      └──────────────┴────────┴───────────────────────────────────────┴──────────────────────────┘
//
//      encoding 0   values are decimals (DecimalValues): first: zigzag varint │ steps: packed integers
//      encoding 1   decimals: first: zigzag varint │ first step: zigzag varint │ changes of the step: packed integers
//      encoding 2   any doubles: XORValues
//      encoding 3   as 0, with the bits that end in zero in all steps, 8, before the first, and the steps without them
//      encoding 4   as 1, in the same way
//
// Sizes are counted in pages and sectors: their steps end in ten zeros.
// How many samples there are stands beside the bytes, in the table.

/// Packs samples into bytes and back. Pure; bytes that are damaged throw.
enum ChunkCodec {
    private enum Encoding: UInt8 {
        case decimalSteps = 0
        case decimalStepChanges = 1
        case exclusiveOr = 2
        case shiftedSteps = 3
        case shiftedStepChanges = 4

        static func decimals(asChanges: Bool, isShifted: Bool) -> Encoding {
            switch (asChanges, isShifted) {
            case (false, false): .decimalSteps
            case (true, false): .decimalStepChanges
            case (false, true): .shiftedSteps
            case (true, true): .shiftedStepChanges
            }
        }
    }

    /// No chunk has more samples: an hour at one each millisecond.
    static let maximumCount = 3_600_000

    /// - Precondition: there is a sample, and timestamps grow.
    static func encode(_ samples: some RandomAccessCollection<Sample>) -> [UInt8] {
        var writer = BitWriter()
        let values = samples.map(\.value)
        if let decimals = DecimalValues(values) {
            var steps = differences(decimals.numbers)
            let zeros = steps.reduce(0) { $0 | $1 }.trailingZeroBitCount
            // 64 when there is no step but zero.
            let shift = zeros < 64 ? zeros : 0
            if shift > 0 { for index in steps.indices { steps[index] >>= Int64(shift) } }
            let changes = differences(steps)
            let useChanges =
                steps.count > 1 && PackedIntegers.byteCount(changes) + 9 < PackedIntegers.byteCount(steps)
            let encoding = Encoding.decimals(asChanges: useChanges, isShifted: shift > 0)
            writer.write(UInt64(encoding.rawValue), width: 8)
            writer.write(UInt64(decimals.places), width: 8)
            write(timestampsOf: samples, to: &writer)
            if shift > 0 { writer.write(UInt64(shift), width: 8) }
            writer.writeVarint(PackedIntegers.zigzag(decimals.numbers.first ?? 0))
            if useChanges {
                writer.writeVarint(PackedIntegers.zigzag(steps.first ?? 0))
                PackedIntegers.write(changes, to: &writer)
            } else {
                PackedIntegers.write(steps, to: &writer)
            }
        } else {
            writer.write(UInt64(Encoding.exclusiveOr.rawValue), width: 8)
            write(timestampsOf: samples, to: &writer)
            XORValues.write(values, to: &writer)
        }
        return writer.bytes
    }

    /// Calls `body` with each of the chunk's `count` samples in order.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, count: Int, _ body: (Sample) -> Void
    ) throws(ChunkDamage) {
        guard (1...maximumCount).contains(count) else { throw .unlikelyCount(UInt64(clamping: count)) }
        var reader = BitReader(bytes)
        let code = UInt8(truncatingIfNeeded: try reader.read(width: 8))
        guard let encoding = Encoding(rawValue: code) else { throw .unknownEncoding(code) }
        var divisor = 1.0
        if encoding != .exclusiveOr {
            let places = UInt8(truncatingIfNeeded: try reader.read(width: 8))
            guard let known = DecimalValues.divisor(places: places) else { throw .unknownEncoding(places) }
            divisor = known
        }
        let timestamps = try readTimestamps(count, from: &reader)
        var index = 0
        func emit(_ value: Double) {
            body(Sample(timestamp: Timestamp(milliseconds: timestamps[index]), value: value))
            index += 1
        }
        var shift: Int64 = 0
        if encoding == .shiftedSteps || encoding == .shiftedStepChanges {
            shift = Int64(try reader.read(width: 8))
            guard shift < 64 else { throw .invalidWidth(UInt64(shift)) }
        }
        switch encoding {
        case .exclusiveOr:
            try XORValues.read(count, from: &reader, emit)
        case .decimalSteps, .shiftedSteps:
            var number = PackedIntegers.unzigzag(try reader.readVarint())
            emit(Double(number) / divisor)
            try PackedIntegers.read(count - 1, from: &reader) { step in
                number &+= step << shift
                emit(Double(number) / divisor)
            }
        case .decimalStepChanges, .shiftedStepChanges:
            var number = PackedIntegers.unzigzag(try reader.readVarint())
            var step = PackedIntegers.unzigzag(try reader.readVarint())
            emit(Double(number) / divisor)
            guard count > 1 else { return }
            number &+= step << shift
            emit(Double(number) / divisor)
            try PackedIntegers.read(count - 2, from: &reader) { change in
                step &+= change
                number &+= step << shift
                emit(Double(number) / divisor)
            }
        }
    }

    private static func write(timestampsOf samples: some RandomAccessCollection<Sample>, to writer: inout BitWriter) {
        let timestamps = samples.map(\.timestamp.milliseconds)
        let steps = differences(timestamps)
        writer.write(UInt64(bitPattern: timestamps.first ?? 0), width: 64)
        guard let first = steps.first else { return }
        writer.writeVarint(UInt64(bitPattern: first))
        PackedIntegers.write(differences(steps), to: &writer)
    }

    private static func readTimestamps(_ count: Int, from reader: inout BitReader) throws(ChunkDamage) -> [Int64] {
        var timestamp = Int64(bitPattern: try reader.read(width: 64))
        var timestamps = [timestamp]
        guard count > 1 else { return timestamps }
        // No more than can be there: a damaged count must not reserve memory.
        timestamps.reserveCapacity(min(count, 4096))
        var step = Int64(bitPattern: try reader.readVarint())
        timestamp &+= step
        timestamps.append(timestamp)
        try PackedIntegers.read(count - 2, from: &reader) { change in
            step &+= change
            timestamp &+= step
            timestamps.append(timestamp)
        }
        return timestamps
    }

    private static func differences(_ numbers: [Int64]) -> [Int64] {
        guard numbers.count > 1 else { return [] }
        var differences: [Int64] = []
        differences.reserveCapacity(numbers.count - 1)
        for index in 1..<numbers.count { differences.append(numbers[index] &- numbers[index - 1]) }
        return differences
    }
}
