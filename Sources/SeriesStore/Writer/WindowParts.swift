internal import Aggregation
internal import MetricModel

/// Aggregates samples that come sorted by series and timestamp into the parts of their windows.
struct WindowParts {
    private(set) var parts: [WindowPart] = []
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
        if let open { parts.append(open) }
        let window = resolution.window(containing: sample.timestamp)
        open = WindowPart(start: window.start, series: series, aggregate: WindowAggregate(sample))
        end = window.end
    }

    /// All parts, in the order of the window tables.
    consuming func finish() -> [WindowPart] {
        if let open { parts.append(open) }
        parts.sort { ($0.start, $0.series) < ($1.start, $1.series) }
        return parts
    }
}
