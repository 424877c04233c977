internal import Glibc
internal import SeriesStore

/// From a series as it is written on the wire to its reference, without a `String` per sample.
///
/// A hash table with open addressing over bytes it keeps itself, in large blocks. An agent writes the same series in
/// the same order each time, so most look-ups are one comparison with the entry after the last one found, and no
/// hash at all. Owned by the `RecordDecoder`.
struct SeriesTable {
    private struct Entry {
        var hash: UInt64
        var block: UInt32
        var offset: UInt32
        var length: UInt32
        var reference: SeriesReference
    }

    private var entries: ContiguousArray<Entry> = []
    /// Index of an entry, plus one; 0 is free. A power of two of them, at most half in use.
    private var slots: ContiguousArray<UInt32>
    private var blocks: ContiguousArray<ContiguousArray<UInt8>> = []
    private var lastFound = 0
    /// Differs from process to process, so that nobody can prepare series that collide.
    private let seed: UInt64

    private static let blockBytes = 256 << 10

    init(seed: UInt64 = .random(in: 0 ... .max)) {
        self.seed = seed
        slots = ContiguousArray(repeating: 0, count: 1024)
    }

    /// How many spellings of series are known.
    var count: Int { entries.count }

    /// The reference of a series that was inserted with these very bytes.
    mutating func find(_ series: UnsafeRawBufferPointer) -> SeriesReference? {
        let next = lastFound &+ 1
        if next < entries.count, isEqual(entries[next], series) {
            lastFound = next
            return entries[next].reference
        }
        let hash = hash(series)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let index = Int(slots[slot]) - 1
            if entries[index].hash == hash, isEqual(entries[index], series) {
                lastFound = index
                return entries[index].reference
            }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a spelling that `find` does not know.
    mutating func insert(_ series: UnsafeRawBufferPointer, _ reference: SeriesReference) {
        if (entries.count + 1) * 2 > slots.count { grow() }
        if blocks.isEmpty || blocks[blocks.count - 1].count + series.count > Self.blockBytes {
            var block = ContiguousArray<UInt8>()
            block.reserveCapacity(max(Self.blockBytes, series.count))
            blocks.append(block)
        }
        let hash = hash(series)
        let block = blocks.count - 1
        lastFound = entries.count
        entries.append(
            Entry(
                hash: hash, block: UInt32(block), offset: UInt32(blocks[block].count), length: UInt32(series.count),
                reference: reference))
        blocks[block].append(contentsOf: series)
        place(entries.count - 1, hash)
    }

    /// Forgets all spellings of some series. Takes as long as inserting those that stay.
    mutating func remove(_ references: Set<SeriesReference>) {
        var kept = SeriesTable(seed: seed)
        for entry in entries where !references.contains(entry.reference) {
            blocks[Int(entry.block)].withUnsafeBytes { block in
                kept.insert(
                    UnsafeRawBufferPointer(
                        rebasing: block[Int(entry.offset)..<Int(entry.offset + entry.length)]),
                    entry.reference)
            }
        }
        self = kept
    }

    private mutating func grow() {
        slots = ContiguousArray(repeating: 0, count: slots.count * 2)
        for (index, entry) in entries.enumerated() { place(index, entry.hash) }
    }

    private mutating func place(_ index: Int, _ hash: UInt64) {
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = UInt32(index + 1)
    }

    private func isEqual(_ entry: Entry, _ series: UnsafeRawBufferPointer) -> Bool {
        guard Int(entry.length) == series.count, let other = series.baseAddress else {
            return Int(entry.length) == series.count
        }
        return blocks[Int(entry.block)].withUnsafeBytes { block in
            guard let base = block.baseAddress else { return false }
            return memcmp(base + Int(entry.offset), other, series.count) == 0
        }
    }

    /// Eight bytes at a time through a 64×64→128-bit product, folded (as in Wang Yi's wyhash).
    private func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var state = seed ^ UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            state = Self.mix(state, bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        var tail: UInt64 = 0
        while offset < bytes.count {
            tail = tail << 8 | UInt64(bytes[offset])
            offset += 1
        }
        return Self.mix(Self.mix(state, tail), 0x9e37_79b9_7f4a_7c15)
    }

    private static func mix(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word ^ 0x2d35_8dcc_aa6c_78a5).multipliedFullWidth(by: 0x8bb8_4b93_962e_acc9)
        return product.high ^ product.low
    }
}
