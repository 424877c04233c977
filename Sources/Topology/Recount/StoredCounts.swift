internal import Aggregation
internal import MetricModel
internal import SeriesStore

/// How many samples a database holds of each instance and time, and what its windows say of them.
struct StoredCounts: Sendable {
    /// By instance, then by milliseconds since 1970.
    private(set) var samples: [String: [Int64: Int]] = [:]
    private(set) var total = 0
    /// Samples by which the one-minute windows differ from those stored: what was counted twice, or not at all.
    private(set) var windowDifference = 0

    /// How many series are read at a time.
    private static let portion = 2000

    /// Reads a database that a subscriber has closed, or is writing. Blocks on the disk.
    ///
    /// - Parameter beginning: samples before this are left out.
    init(database path: String, from beginning: Timestamp) throws(StoreError) {
        let reader = try SeriesReader(path: path)
        defer { try? reader.close() }
        let series = try reader.series(matching: [])
        let (from, to) = (beginning, Timestamp(milliseconds: .max))
        // Windows are whole minutes: they say something of these samples only where all samples are meant.
        let comparesWindows = beginning.milliseconds == 0
        for start in stride(from: 0, to: series.count, by: Self.portion) {
            let portion = series[start..<min(start + Self.portion, series.count)]
            let names = Dictionary(uniqueKeysWithValues: portion.map { ($0.id, $0.labels["instance"] ?? "") })
            let samples = try reader.samples(of: names.keys, from: from, to: to)
            let windows = try reader.windows(of: names.keys, resolution: .oneMinute, from: from, to: to)
            for (id, name) in names {
                let stored = samples[id] ?? []
                total += stored.count
                // Taken out, so that it is changed in place.
                var times = self.samples.removeValue(forKey: name) ?? [:]
                for sample in stored { times[sample.timestamp.milliseconds, default: 0] += 1 }
                self.samples[name] = times
                let counted = (windows[id] ?? []).reduce(0) { $0 + Int($1.aggregate.count) }
                if comparesWindows { windowDifference += abs(counted - stored.count) }
            }
        }
    }
}
