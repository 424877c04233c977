internal import RecordBatch

/// The latest offset of each key, in bounded memory: keys are known by a 128-bit hash, seeded anew in each process, so
/// that nobody can make two collide. Owned by one compaction pass.
struct OffsetMap {
    private struct Entry {
        var hash: (UInt64, UInt64) = (0, 0)
        /// -1 in a free place.
        var offset: Int64 = -1
    }

    private var entries: [Entry]
    private(set) var count = 0
    /// Keys that fit in.
    let capacity: Int

    private static let bytesPerKey = MemoryLayout<Entry>.stride * 4 / 3

    static func capacity(forBytes bytes: Int) -> Int {
        max(1, bytes / bytesPerKey)
    }

    init(capacity: Int) {
        self.capacity = capacity
        // A quarter stays free, so that searches are short.
        entries = Array(repeating: Entry(), count: capacity + capacity / 3 + 1)
    }

    private static func hash(_ key: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        var first = Hasher()
        first.combine(false)
        first.combine(bytes: key)
        var second = Hasher()
        second.combine(true)
        second.combine(bytes: key)
        return (UInt64(bitPattern: Int64(first.finalize())), UInt64(bitPattern: Int64(second.finalize())))
    }

    /// Where the key is, or the free place where it belongs.
    private func place(of hash: (UInt64, UInt64)) -> Int {
        var place = Int(hash.0 % UInt64(entries.count))
        while entries[place].offset >= 0, entries[place].hash != hash {
            place += 1
            if place == entries.count { place = 0 }
        }
        return place
    }

    /// - Returns: false when there is no room for another key.
    mutating func set(_ key: UnsafeRawBufferPointer, _ offset: Offset) -> Bool {
        let hash = Self.hash(key)
        let place = place(of: hash)
        if entries[place].offset < 0 {
            guard count < capacity else { return false }
            count += 1
            entries[place].hash = hash
        }
        entries[place].offset = offset.rawValue
        return true
    }

    func offset(of key: UnsafeRawBufferPointer) -> Offset? {
        let entry = entries[place(of: Self.hash(key))]
        return entry.offset < 0 ? nil : Offset(entry.offset)
    }
}
