internal import MetricModel

/// A head's samples that are to be stored, series by series, each series' in order of time. Remembers which of them are
/// dropped because the series has a sample at that timestamp already. Lives during one commit.
struct SeriesRuns {
    /// The samples of one series: its id in the database, and where they are among `entries`.
    struct Run {
        let reference: SeriesReference
        let series: Int64
        let range: Range<Int>
    }

    private(set) var entries: ContiguousArray<Head.Entry>
    private(set) var runs: [Run] = []
    /// Samples dropped because there is one at that timestamp.
    private(set) var duplicateCount = 0
    /// Of these, how many of which series.
    private(set) var duplicates: [SeriesReference: Int] = [:]
    /// Samples older than their retention, and of series that a limit refuses; they are in no run.
    private(set) var (expiredCount, refusedCount) = (0, 0)
    private var isDropped: [Bool]
    private(set) var newestTimestamp = Timestamp(milliseconds: .min)

    /// Asks `series` which samples are to be stored.
    init(_ head: Head, _ series: inout KnownSeries, now: Timestamp) throws {
        entries = Self.sorted(head.entries)
        isDropped = [Bool](repeating: false, count: entries.count)
        var start = 0
        while start < entries.count {
            let reference = entries[start].series
            var end = start + 1
            while end < entries.count, entries[end].series == reference { end += 1 }
            let newest = entries[end - 1].timestamp
            switch try series.standing(of: reference, newest: newest, now: now) {
            case .stored(let id, let firstTaken):
                var first = start
                while first < end, entries[first].timestamp < firstTaken { first += 1 }
                expiredCount += first - start
                if first < end { append(Run(reference: reference, series: id, range: first..<end)) }
                discard(start..<first)
            case .refused:
                series.count(refused: end - start, of: reference)
                refusedCount += end - start
                discard(start..<end)
            }
            start = end
        }
    }

    private mutating func append(_ run: Run) {
        for index in run.range.dropFirst() where entries[index].timestamp == entries[index - 1].timestamp {
            // Of one timestamp the sample that came first stays.
            drop(index)
        }
        newestTimestamp = max(newestTimestamp, entries[run.range.upperBound - 1].timestamp)
        runs.append(run)
    }

    private mutating func discard(_ range: Range<Int>) {
        for index in range { isDropped[index] = true }
    }

    /// How many samples a series has.
    var averageCount: Int { runs.isEmpty ? 0 : keptCount / runs.count }

    var keptCount: Int { entries.count - duplicateCount - expiredCount - refusedCount }

    func isKept(_ index: Int) -> Bool { !isDropped[index] }

    mutating func drop(_ index: Int) {
        guard !isDropped[index] else { return }
        isDropped[index] = true
        duplicateCount += 1
        duplicates[entries[index].series, default: 0] += 1
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
