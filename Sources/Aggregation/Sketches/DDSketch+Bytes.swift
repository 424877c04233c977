/// A sketch as bytes, little-endian; varints are LEB128, as in Protocol Buffers:
///
///     version  α    maximumBuckets  smallest  largest  zeros   +Inf    −Inf    NaNs    positive  negative
///     1 byte   f64  varint          f64       f64      varint  varint  varint  varint  buckets   buckets
///
///     buckets: collapsed  number of buckets  lowest bucket  counts
///              0 or 1     varint             zigzag varint  varint each; 0 is followed by how many more zeros follow
///
/// Equal sketches have equal bytes.
extension DDSketch {
    private static let version: UInt8 = 1
    /// More are not believed.
    private static let largestMaximumBuckets = 1 << 16

    public var bytes: [UInt8] {
        var writer = SketchWriter()
        writer.append(byte: Self.version)
        writer.append(double: relativeAccuracy)
        writer.append(varint: UInt64(maximumBuckets))
        writer.append(double: smallest)
        writer.append(double: largest)
        for count in [zeroCount, infinityCount, negativeInfinityCount, nanCount] { writer.append(varint: count) }
        positive.append(to: &writer)
        negative.append(to: &writer)
        return writer.bytes
    }

    /// Reads what `bytes` wrote. Throws for anything else; never traps and reserves no more than 2^16 buckets.
    public init(bytes: some Sequence<UInt8>) throws(SketchError) {
        var reader = SketchReader(bytes)
        let version = try reader.byte()
        guard version == Self.version else { throw .version(version) }
        let accuracy = try reader.double()
        let maximum = try reader.varint()
        guard Self.isValid(relativeAccuracy: accuracy), (16...UInt64(Self.largestMaximumBuckets)).contains(maximum)
        else { throw .damaged("accuracy or number of buckets") }
        let smallest = try reader.double()
        let largest = try reader.double()
        guard !smallest.isNaN, !largest.isNaN else { throw .damaged("extremes") }
        let zeros = try reader.varint()
        let infinities = try reader.varint()
        let negativeInfinities = try reader.varint()
        let nans = try reader.varint()
        let positive = try BucketCounts(&reader, maximumBuckets: Int(maximum))
        let negative = try BucketCounts(&reader, maximumBuckets: Int(maximum))
        guard reader.isAtEnd else { throw .damaged("bytes after the sketch") }
        self.init(
            relativeAccuracy: accuracy, maximumBuckets: Int(maximum), positive: positive, negative: negative,
            zeroCount: zeros, infinityCount: infinities, negativeInfinityCount: negativeInfinities, nanCount: nans,
            smallest: smallest, largest: largest)
    }
}

extension BucketCounts {
    fileprivate func append(to writer: inout SketchWriter) {
        writer.append(byte: hasCollapsed ? 1 : 0)
        writer.append(varint: UInt64(counts.count))
        guard !counts.isEmpty else { return }
        writer.append(varint: UInt64(bitPattern: Int64(lowest << 1 ^ lowest >> 31)) & 0xffff_ffff)
        var index = 0
        while index < counts.count {
            writer.append(varint: counts[index])
            var zeros = 0
            if counts[index] == 0 {
                // The last count is not zero, so the run ends before it.
                while counts[index + zeros + 1] == 0 { zeros += 1 }
                writer.append(varint: UInt64(zeros))
            }
            index += 1 + zeros
        }
    }

    fileprivate init(_ reader: inout SketchReader, maximumBuckets: Int) throws(SketchError) {
        let hasCollapsed = try reader.byte()
        let number = try reader.varint()
        guard hasCollapsed <= 1, number <= UInt64(maximumBuckets) else { throw .damaged("number of buckets") }
        var lowest: Int32 = 0
        var counts: [UInt64] = []
        if number > 0 {
            guard let zigzag = UInt32(exactly: try reader.varint()) else { throw .damaged("lowest bucket") }
            lowest = Int32(bitPattern: zigzag >> 1) ^ -Int32(bitPattern: zigzag & 1)
        }
        while counts.count < Int(number) {
            let count = try reader.varint()
            counts.append(count)
            guard count == 0 else { continue }
            let more = try reader.varint()
            guard more < number - UInt64(counts.count) else { throw .damaged("counts") }
            counts.append(contentsOf: repeatElement(0, count: Int(more)))
        }
        guard
            let buckets = BucketCounts(
                maximumBuckets: maximumBuckets, lowest: lowest, counts: counts, hasCollapsed: hasCollapsed == 1)
        else { throw .damaged("counts") }
        self = buckets
    }
}
