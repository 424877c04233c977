/// A set of sequence numbers as closed intervals: sorted, disjoint, and never touching (1…3 and 4…6 are one).
///
/// A stream that arrives in order is one interval however long it gets. Others appear when partitions are added
/// or a mirror sends records again, and join when the gap fills. Insertion at the end takes constant time.
public struct SequenceSet: Hashable, Sendable {
    public private(set) var intervals: [ClosedRange<Int64>]

    public init() {
        intervals = []
    }

    /// Any intervals, overlapping ones among them.
    public init(_ ranges: some Sequence<ClosedRange<Int64>>) {
        intervals = []
        for range in ranges { insert(range) }
    }

    public var isEmpty: Bool { intervals.isEmpty }

    public func contains(_ sequence: Int64) -> Bool {
        guard let last = intervals.last else { return false }
        if sequence > last.upperBound { return false }
        if sequence >= last.lowerBound { return true }
        let index = firstIndex(endingAtOrAfter: sequence)
        return intervals[index].contains(sequence)
    }

    /// Adds a number; false when it was there already.
    @discardableResult
    public mutating func insert(_ sequence: Int64) -> Bool {
        if contains(sequence) { return false }
        insert(sequence...sequence)
        return true
    }

    /// Adds all numbers of an interval.
    public mutating func insert(_ range: ClosedRange<Int64>) {
        // Bounds one wider, so that neighbours join; saturated, for sequences come from others.
        let below = range.lowerBound == .min ? range.lowerBound : range.lowerBound - 1
        let above = range.upperBound == .max ? range.upperBound : range.upperBound + 1
        let from = firstIndex(endingAtOrAfter: below)
        var upTo = from
        var lower = range.lowerBound
        var upper = range.upperBound
        while upTo < intervals.count, intervals[upTo].lowerBound <= above {
            lower = min(lower, intervals[upTo].lowerBound)
            upper = max(upper, intervals[upTo].upperBound)
            upTo += 1
        }
        intervals.replaceSubrange(from..<upTo, with: CollectionOfOne(lower...upper))
    }

    /// Adds all numbers of another set.
    public mutating func formUnion(_ other: SequenceSet) {
        for range in other.intervals { insert(range) }
    }

    /// Some numbers that both sets have; nil when there are none.
    public func common(with other: SequenceSet) -> ClosedRange<Int64>? {
        for range in other.intervals {
            let index = firstIndex(endingAtOrAfter: range.lowerBound)
            if index < intervals.count, intervals[index].overlaps(range) { return intervals[index].clamped(to: range) }
        }
        return nil
    }

    /// The first interval whose end is not before a number; `intervals.count` when there is none.
    private func firstIndex(endingAtOrAfter sequence: Int64) -> Int {
        if let last = intervals.last, last.lowerBound <= sequence {
            return last.upperBound < sequence ? intervals.count : intervals.count - 1
        }
        var low = 0
        var high = intervals.count
        while low < high {
            let middle = (low + high) / 2
            if intervals[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SequenceSet: CustomStringConvertible {
    public var description: String {
        intervals.map { range in
            range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound)…\(range.upperBound)"
        }.joined(separator: ", ")
    }
}
