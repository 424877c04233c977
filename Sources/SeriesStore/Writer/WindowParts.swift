internal import Aggregation
internal import MetricModel

/// Aggregates samples that come sorted by series and timestamp into the parts of their windows.
struct WindowParts {
    /// By the start of the window. The series of one come in their order, so most are sorted as they are.
    private var parts: [Timestamp: [WindowPart]] = [:]
    private let resolution: Resolution
    private var open: WindowPart?
    /// The first instant after the open window.
    private var end = Timestamp(milliseconds: .min)

    init(_ resolution: Resolution) {
        self.resolution = resolution
    }

    mutating func add(_ sample: Sample, of series: Int64) {
        if open?.series == series, sample.timestamp < end {
            open?.aggregate.add(sample)
            return
        }
        close()
        let window = resolution.window(containing: sample.timestamp)
        open = WindowPart(start: window.start, series: series, aggregate: WindowAggregate(sample))
        end = window.end
    }

    private mutating func close() {
        if let open { parts[open.start, default: []].append(open) }
    }

    /// All parts, in the order of the window tables.
    consuming func finish() -> [WindowPart] {
        close()
        var finished: [WindowPart] = []
        finished.reserveCapacity(parts.values.reduce(0) { $0 + $1.count })
        for start in parts.keys.sorted() {
            var window = parts[start] ?? []
            let isSorted = zip(window, window.dropFirst()).allSatisfy { $0.series < $1.series }
            if !isSorted { window.sort { $0.series < $1.series } }
            finished.append(contentsOf: window)
        }
        return finished
    }
}
