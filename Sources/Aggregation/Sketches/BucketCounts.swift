/// How many values each bucket holds: a run of counters from the lowest bucket in use to the highest.
///
/// The run is never longer than `maximumBuckets`: what lies further below the highest bucket is counted in the lowest one that
/// is kept. Which one that is depends on the highest bucket alone, so the counts do not depend on the order.
struct BucketCounts: Hashable, Sendable {
    let maximumBuckets: Int
    /// The bucket of `counts[0]`.
    private(set) var lowest: Int32 = 0
    /// The first and the last are above zero.
    private(set) var counts: [UInt64] = []
    private(set) var total: UInt64 = 0
    private(set) var hasCollapsed = false

    init(maximumBuckets: Int) {
        self.maximumBuckets = maximumBuckets
    }

    /// Counts that were stored; nil when they are not those of a run.
    init?(maximumBuckets: Int, lowest: Int32, counts: [UInt64], hasCollapsed: Bool) {
        guard counts.count <= maximumBuckets, counts.first != 0, counts.last != 0,
            lowest.magnitude < 1 << 24
        else { return nil }
        self.maximumBuckets = maximumBuckets
        self.lowest = counts.isEmpty ? 0 : lowest
        self.counts = counts
        self.hasCollapsed = hasCollapsed
        for count in counts {
            let (sum, overflow) = total.addingReportingOverflow(count)
            if overflow { return nil }
            total = sum
        }
    }

    private var highest: Int32 { lowest + Int32(counts.count) - 1 }

    mutating func add(_ bucket: Int32, _ count: UInt64) {
        let place = Int(bucket) - Int(lowest)
        if place >= 0, place < counts.count {
            counts[place] &+= count
        } else if count > 0 {
            insert(bucket, count)
        }
        total &+= count
    }

    mutating func merge(_ other: BucketCounts) {
        // From the top, so that what is too low finds its place at once.
        for (offset, count) in other.counts.enumerated().reversed() where count > 0 {
            add(other.lowest + Int32(offset), count)
        }
        hasCollapsed = hasCollapsed || other.hasCollapsed
    }

    private mutating func insert(_ bucket: Int32, _ count: UInt64) {
        guard !counts.isEmpty else {
            lowest = bucket
            counts = [count]
            return
        }
        if bucket > highest {
            counts.append(contentsOf: repeatElement(0, count: Int(bucket - highest)))
            counts[counts.count - 1] = count
            if counts.count > maximumBuckets { collapse() }
        } else {
            let floor = highest - Int32(maximumBuckets) + 1
            let kept = max(bucket, floor)
            if kept > bucket { hasCollapsed = true }
            if kept < lowest {
                counts.insert(contentsOf: repeatElement(0, count: Int(lowest - kept)), at: 0)
                lowest = kept
            }
            counts[0] &+= count
        }
    }

    /// Folds what is too low, the first bucket in use among it, into the lowest bucket that is kept.
    private mutating func collapse() {
        let excess = counts.count - maximumBuckets
        let folded = counts[..<excess].reduce(0, &+)
        counts.removeFirst(excess)
        lowest += Int32(excess)
        counts[0] &+= folded
        hasCollapsed = true
    }

    /// The bucket of the value of rank `rest`, counted from 0 from the lowest; else nil and `rest` less by all of them.
    func ascending(skipping rest: inout UInt64) -> Int32? {
        for (offset, count) in counts.enumerated() {
            if rest < count { return lowest + Int32(offset) }
            rest -= count
        }
        return nil
    }

    /// The same from the highest bucket.
    func descending(skipping rest: inout UInt64) -> Int32? {
        for (offset, count) in counts.enumerated().reversed() {
            if rest < count { return lowest + Int32(offset) }
            rest -= count
        }
        return nil
    }
}
