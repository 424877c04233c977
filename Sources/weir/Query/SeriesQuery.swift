import Aggregation
import MetricModel
import PromQL
import SeriesStore

/// One question to the database: which series, over which time, how dense.
struct SeriesQuery {
    let selector: VectorSelector
    let from: Timestamp
    let to: Timestamp
    let step: Duration?
    let resolution: QueryResolution

    /// How many results one series may have; a longer answer is a mistake in `step` more often than a wish.
    static let maximumSteps: Int64 = 1_000_000

    /// - Throws: ``CommandError`` if the step does not fit the resolution, `StoreError` if the database cannot be read.
    func run(on reader: SeriesReader) throws -> QueryResult {
        try checkStep()
        let series = try reader.series(matching: selector.matchers)
        guard let windows = resolution.windows else {
            return .samples(try samples(of: series, on: reader))
        }
        return .windows(try self.windows(of: series, windows, on: reader))
    }

    private func checkStep() throws {
        guard let step else { return }
        let width = resolution.windows?.duration ?? .milliseconds(1)
        guard step >= width, step.wholeMilliseconds % width.wholeMilliseconds == 0 else {
            throw CommandError("--step is \(step.shortText); it must be a multiple of \(width.shortText)")
        }
        guard (to - from).wholeMilliseconds / step.wholeMilliseconds <= Self.maximumSteps else {
            throw CommandError("--last \((to - from).shortText) at --step \(step.shortText) is too many results")
        }
    }

    private func samples(of series: [StoredSeries], on reader: SeriesReader) throws -> [QueryResult.Series<Sample>] {
        let selection = step.map { InstantSelection(from: from, to: to, step: $0) }
        let start = selection.map { from - $0.lookback } ?? from
        let stored = try reader.samples(of: series.map(\.id), from: start, to: to + .milliseconds(1))
        return series.compactMap { series in
            guard let samples = stored[series.id] else { return nil }
            let selected = selection?.select(from: samples) ?? samples
            return selected.isEmpty ? nil : .init(labels: series.labels, values: selected)
        }
    }

    private func windows(
        of series: [StoredSeries], _ resolution: Resolution, on reader: SeriesReader
    ) throws -> [QueryResult.Series<StoredWindow>] {
        let first = start(ofWindowContaining: from, width: step ?? resolution.duration)
        let stored = try reader.windows(
            of: series.map(\.id), resolution: resolution, from: first, to: to + .milliseconds(1))
        return series.compactMap { series in
            stored[series.id].map { .init(labels: series.labels, values: merged($0)) }
        }
    }

    /// Windows of the stored width merged into windows of the step's.
    private func merged(_ windows: [StoredWindow]) -> [StoredWindow] {
        guard let step else { return windows }
        return windows.reduce(into: []) { merged, window in
            let start = start(ofWindowContaining: window.start, width: step)
            if let last = merged.last, last.start == start {
                var aggregate = last.aggregate
                aggregate.merge(window.aggregate)
                merged[merged.count - 1] = StoredWindow(start: start, aggregate: aggregate)
            } else {
                merged.append(StoredWindow(start: start, aggregate: window.aggregate))
            }
        }
    }

    private func start(ofWindowContaining instant: Timestamp, width: Duration) -> Timestamp {
        let width = width.wholeMilliseconds
        let rest = instant.milliseconds % width
        return Timestamp(milliseconds: instant.milliseconds - (rest < 0 ? rest + width : rest))
    }
}
