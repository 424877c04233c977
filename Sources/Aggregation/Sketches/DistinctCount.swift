/// How many different numbers were added: exact up to 512, beyond that an estimate with a standard error of 1.6 %
/// (``HyperLogLog``). Mergeable, and independent of the order: parts merged in any order give the same count.
///
/// 0 and −0 are one number, and so are all NaNs.
public struct DistinctCount: Sendable {
    public static let exactLimit = 512
    /// Of `value` beyond `exactLimit`, relative: in 95 % of cases it is within twice that.
    public static let standardError = HyperLogLog.standardError

    private enum State: Sendable {
        case exact(HashTable)
        case estimated(HyperLogLog)
    }

    private var state = State.exact(HashTable())

    public init() {}

    /// How many there are.
    public var value: Double {
        switch state {
        case .exact(let table): Double(table.count)
        case .estimated(let registers): registers.estimate.rounded()
        }
    }

    public var isExact: Bool {
        if case .exact = state { true } else { false }
    }

    public mutating func add(_ values: some Sequence<Double>) {
        switch state {
        case .exact(var table):
            // Two holders of the table would make each insertion a copy of it.
            state = .exact(HashTable())
            var rest = values.makeIterator()
            while table.count <= Self.exactLimit, let value = rest.next() { table.insert(Self.hash(value)) }
            guard table.count > Self.exactLimit else {
                state = .exact(table)
                return
            }
            var registers = table.registers
            while let value = rest.next() { registers.add(hash: Self.hash(value)) }
            state = .estimated(registers)
        case .estimated(var registers):
            state = .exact(HashTable())
            for value in values { registers.add(hash: Self.hash(value)) }
            state = .estimated(registers)
        }
    }

    public mutating func merge(_ other: DistinctCount) {
        switch (state, other.state) {
        case (.exact(var table), .exact(let others)):
            for hash in others.hashes { table.insert(hash) }
            state = table.count > Self.exactLimit ? .estimated(table.registers) : .exact(table)
        case (.exact(let table), .estimated(var registers)), (.estimated(var registers), .exact(let table)):
            registers.merge(table.registers)
            state = .estimated(registers)
        case (.estimated(var registers), .estimated(let others)):
            registers.merge(others)
            state = .estimated(registers)
        }
    }

    /// Different numbers have different hashes, for each step can be undone: D. Stafford's "Mix13" finaliser of MurmurHash3.
    private static func hash(_ value: Double) -> UInt64 {
        var bits = value.isNaN ? Double.nan.bitPattern : (value + 0).bitPattern
        bits = (bits ^ bits >> 30) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ bits >> 27) &* 0x94d0_49bb_1331_11eb
        return bits ^ bits >> 31
    }
}

extension DistinctCount {
    /// The count as bytes; equal counts have equal bytes. A version (1), then 0 and the sorted hashes, or 1 and the registers.
    public var bytes: [UInt8] {
        var writer = SketchWriter()
        writer.append(byte: 1)
        switch state {
        case .exact(let table):
            writer.append(byte: 0)
            writer.append(varint: UInt64(table.count))
            for hash in table.hashes.sorted() { writer.append(word: hash) }
        case .estimated(let registers):
            writer.append(byte: 1)
            for register in registers.registers { writer.append(byte: register) }
        }
        return writer.bytes
    }

    /// Reads what `bytes` wrote. Throws for anything else.
    public init(bytes: some Sequence<UInt8>) throws(SketchError) {
        var reader = SketchReader(bytes)
        let version = try reader.byte()
        guard version == 1 else { throw .version(version) }
        switch try reader.byte() {
        case 0:
            let count = try reader.varint()
            guard count <= Self.exactLimit else { throw .damaged("number of values") }
            var table = HashTable()
            for _ in 0..<count { table.insert(try reader.word()) }
            state = .exact(table)
        case 1:
            var registers: [UInt8] = []
            for _ in 0..<HyperLogLog.registerCount { registers.append(try reader.byte()) }
            guard let sketch = HyperLogLog(registers: registers) else { throw .damaged("registers") }
            state = .estimated(sketch)
        default: throw .damaged("kind")
        }
        guard reader.isAtEnd else { throw .damaged("bytes after the sketch") }
    }
}

/// A set of hashes with open addressing; at most half of it in use.
private struct HashTable: Sendable {
    private var slots: [UInt64] = []
    /// The hash 0 marks a free slot, so it is kept apart.
    private var hasZero = false
    private var used = 0

    var count: Int { used + (hasZero ? 1 : 0) }

    var hashes: [UInt64] { slots.filter { $0 != 0 } + (hasZero ? [0] : []) }

    var registers: HyperLogLog {
        var registers = HyperLogLog()
        for hash in hashes { registers.add(hash: hash) }
        return registers
    }

    mutating func insert(_ hash: UInt64) {
        guard hash != 0 else {
            hasZero = true
            return
        }
        if (used + 1) * 2 > slots.count { grow() }
        if place(hash) { used += 1 }
    }

    /// Whether it was not there yet.
    private mutating func place(_ hash: UInt64) -> Bool {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            if slots[slot] == hash { return false }
            slot = (slot + 1) & (slots.count - 1)
        }
        slots[slot] = hash
        return true
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: 0, count: max(16, old.count * 2))
        for hash in old where hash != 0 { _ = place(hash) }
    }
}
