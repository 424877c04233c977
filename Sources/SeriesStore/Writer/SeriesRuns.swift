internal import MetricModel

/// A head's samples, series by series, each series' in order of time. Remembers which of them are dropped because the
/// series has a sample at that timestamp already. Lives during one commit.
struct SeriesRuns {
    /// The samples of one series: its id in the database, and where they are among `entries`.
    struct Run {
        let series: Int64
        let range: Range<Int>
    }

    private(set) var entries: ContiguousArray<Head.Entry>
    private(set) var runs: [Run] = []
    private(set) var droppedCount = 0
    private var isDropped: [Bool]
    private(set) var newestTimestamp = Timestamp(milliseconds: .min)

    init(_ head: Head, ids: SeriesTables) {
        entries = Self.sorted(head.entries)
        isDropped = [Bool](repeating: false, count: entries.count)
        var start = 0
        while start < entries.count {
            let reference = entries[start].series
            var end = start + 1
            while end < entries.count, entries[end].series == reference {
                // Of one timestamp the sample that came first stays.
                if entries[end].timestamp == entries[end - 1].timestamp { drop(end) }
                end += 1
            }
            newestTimestamp = max(newestTimestamp, entries[end - 1].timestamp)
            let id = ids.id(of: reference)
            precondition(id != 0, "samples of series reference \(reference.rawValue), which no head defined")
            runs.append(Run(series: id, range: start..<end))
            start = end
        }
    }

    /// How many samples a series has.
    var averageCount: Int { runs.isEmpty ? 0 : entries.count / runs.count }

    var droppedBySeries: [SeriesReference: Int] {
        guard droppedCount > 0 else { return [:] }
        return zip(entries, isDropped).reduce(into: [:]) { counts, entry in
            if entry.1 { counts[entry.0.series, default: 0] += 1 }
        }
    }

    var keptCount: Int { entries.count - droppedCount }

    func isKept(_ index: Int) -> Bool { !isDropped[index] }

    mutating func drop(_ index: Int) {
        if !isDropped[index] { droppedCount += 1 }
        isDropped[index] = true
    }

    /// The samples of a range of `entries` that are not dropped.
    func samples(_ range: Range<Int>) -> [Sample] {
        var samples: [Sample] = []
        samples.reserveCapacity(range.count)
        for index in range where isKept(index) {
            samples.append(Sample(timestamp: entries[index].timestamp, value: entries[index].value))
        }
        return samples
    }

    /// The indices of `entries` in the order in which the samples arrived: about that of the table `sample`.
    func inOrderOfArrival() -> [UInt32] {
        var order = [UInt32](repeating: 0, count: entries.count)
        for index in entries.indices { order[Int(entries[index].arrival)] = UInt32(index) }
        return order
    }

    private static func sorted(_ entries: ContiguousArray<Head.Entry>) -> ContiguousArray<Head.Entry> {
        let largest = entries.reduce(0) { max($0, Int($1.series.rawValue)) }
        // A head of few samples among many series is sorted by comparing; else series by series, by counting.
        var sorted = largest < entries.count * 4 ? countingSort(entries, upTo: largest) : entries
        if largest >= entries.count * 4 { sorted.sort { $0.order < $1.order } }
        return sorted
    }

    private static func countingSort(
        _ entries: ContiguousArray<Head.Entry>, upTo largest: Int
    ) -> ContiguousArray<Head.Entry> {
        var starts = [Int](repeating: 0, count: largest + 2)
        for entry in entries { starts[Int(entry.series.rawValue) + 1] += 1 }
        for series in 1..<starts.count { starts[series] += starts[series - 1] }
        var next = starts
        var sorted = entries
        for entry in entries {
            let series = Int(entry.series.rawValue)
            sorted[next[series]] = entry
            next[series] += 1
        }
        // Samples of a series mostly come in order of time; where they do not, the run is sorted.
        for series in 0...largest {
            let range = starts[series]..<starts[series + 1]
            let isSorted = range.dropFirst().allSatisfy { sorted[$0 - 1].timestamp <= sorted[$0].timestamp }
            if !isSorted { sorted[range].sort { $0.order < $1.order } }
        }
        return sorted
    }
}

extension Head.Entry {
    /// What entries are sorted by.
    fileprivate var order: (UInt32, Int64, UInt32) { (series.rawValue, timestamp.milliseconds, arrival) }
}
