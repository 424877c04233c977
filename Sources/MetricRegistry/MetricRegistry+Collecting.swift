internal import Instruments
internal import MetricModel
internal import Synchronization

/// From cells to families.
extension MetricRegistry {
    func collectCells() -> [MetricFamily] {
        // Cells are read outside the lock; making a handle does not wait for that.
        let (families, refused, conflicts) = state.withLock { state in
            (
                state.families.map { name, family in (name, family.type.kind, family.series.mapValues(\.cell)) },
                state.refusedSeries, state.conflicts
            )
        }
        var collected = families.map { name, kind, series in
            var readings: [MetricFamily.Reading] = []
            readings.reserveCapacity(series.count)
            for (labels, cell) in series.sorted(by: { $0.key < $1.key }) {
                Self.append(cell.reading, name, labels, to: &readings)
            }
            return MetricFamily(name, kind, help: help[name] ?? "", readings)
        }
        for (metric, value) in [(RegistryMetrics.refusedSeries, refused), (RegistryMetrics.conflicts, conflicts)] {
            let series = constantLabels.setting(Label.metricName, to: metric.name)
            collected.append(
                MetricFamily(metric.name, metric.kind, help: metric.help, [.init(series, Double(value))]))
        }
        return collected
    }

    private static func append(
        _ reading: CellReading, _ name: String, _ labels: Labels, to readings: inout [MetricFamily.Reading]
    ) {
        switch reading {
        case .value(let value):
            readings.append(.init(labels.setting(Label.metricName, to: name), value))
        case .histogram(let bounds, let counts, let sum):
            let total = counts.reduce(0, +)
            guard total > 0 else { return }
            let bucket = labels.setting(Label.metricName, to: name + "_bucket")
            var below = 0
            for (bound, count) in zip(bounds, counts) {
                below += count
                readings.append(.init(bucket.setting("le", to: Self.text(bound)), Double(below)))
            }
            readings.append(.init(bucket.setting("le", to: "+Inf"), Double(total)))
            readings.append(.init(labels.setting(Label.metricName, to: name + "_sum"), sum))
            readings.append(.init(labels.setting(Label.metricName, to: name + "_count"), Double(total)))
        }
    }

    /// A bound as Prometheus's clients write it: `0.0001`, `1`, `65536`.
    private static func text(_ bound: Double) -> String {
        var writer = TextFormat.Writer()
        writer.append(number: bound)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
