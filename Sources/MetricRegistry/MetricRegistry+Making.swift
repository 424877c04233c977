public import CoreMetrics
internal import Instruments
internal import MetricModel
internal import Synchronization

/// What swift-metrics asks of its backend: handles, by name and labels.
extension MetricRegistry {
    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        cell(.counter, label, dimensions) { _ in CounterCell() }
    }

    public func makeFloatingPointCounter(
        label: String, dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        cell(.floatingPointCounter, label, dimensions) { _ in FloatingPointCounterCell() }
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        cell(.gauge, label, dimensions) { _ in GaugeCell() }
    }

    public func makeRecorder(
        label: String, dimensions: [(String, String)], aggregate: Bool
    ) -> any RecorderHandler {
        aggregate
            ? cell(.recorder, label, dimensions) { RecorderCell(.suited(to: $0)) }
            : cell(.gauge, label, dimensions) { _ in GaugeCell() }
    }

    /// A histogram in seconds.
    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        cell(.timer, label, dimensions) { _ in TimerCell(.seconds) }
    }

    public func destroyCounter(_ handler: any CounterHandler) { destroy(handler) }
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) { destroy(handler) }
    public func destroyMeter(_ handler: any MeterHandler) { destroy(handler) }
    public func destroyRecorder(_ handler: any RecorderHandler) { destroy(handler) }
    public func destroyTimer(_ handler: any TimerHandler) { destroy(handler) }

    /// The cell of a series; a new one that nobody reads where there must be none, so that whoever counts need not care.
    private func cell<Kept: Cell>(
        _ type: CellType, _ label: String, _ dimensions: [(String, String)], _ make: (_ name: String) -> Kept
    ) -> Kept {
        let name = Self.metricName(label)
        let labels = labels(dimensions)
        return state.withLock { state in
            var family = state.families[name] ?? Family(type: type)
            guard family.type == type else {
                state.conflicts += 1
                return make(name)
            }
            if var known = family.series[labels], let cell = known.cell as? Kept {
                known.handles += 1
                state.families[name]?.series[labels] = known
                return cell
            }
            let cell = make(name)
            guard state.places.count < maximumSeries else {
                state.refusedSeries += 1
                return cell
            }
            family.series[labels] = Series(cell: cell, handles: 1)
            state.families[name] = family
            state.places[ObjectIdentifier(cell)] = (name, labels)
            return cell
        }
    }

    private func destroy(_ handler: AnyObject) {
        state.withLock { state in
            let identity = ObjectIdentifier(handler)
            guard let (name, labels) = state.places[identity],
                var series = state.families[name]?.series[labels]
            else { return }
            series.handles -= 1
            if series.handles > 0 {
                state.families[name]?.series[labels] = series
            } else {
                state.places[identity] = nil
                state.families[name]?.series[labels] = nil
                if state.families[name]?.series.isEmpty == true { state.families[name] = nil }
            }
        }
    }

    // MARK: Names

    /// swift-metrics allows any text; in Prometheus's text a metric's name has letters, digits, `_` and `:`.
    private static func metricName(_ text: String) -> String {
        Label.isPlainMetricName(text) ? text : plain(text)
    }

    private static func plain(_ text: String) -> String {
        let characters = text.unicodeScalars.map { scalar in
            Label.isPlainName("_" + String(scalar)) ? Character(scalar) : "_"
        }
        let name = String(characters)
        return Label.isPlainName(name) ? name : "_" + name
    }

    /// A label that a histogram needs for itself gets another name; of two with one name the first counts.
    private func labels(_ dimensions: [(String, String)]) -> Labels {
        var labels: [Label] = []
        for (name, value) in dimensions {
            var name = Label.isPlainName(name) ? name : Self.plain(name)
            if name == "le" || name == Label.metricName { name = "exported_" + name }
            if !labels.contains(where: { $0.name.hasSameBytes(as: name) }) { labels.append(Label(name, value)) }
        }
        for label in constantLabels where !labels.contains(where: { $0.name.hasSameBytes(as: label.name) }) {
            labels.append(label)
        }
        // Names are plain and different, so this does not fail.
        return (try? Labels(labels)) ?? constantLabels
    }
}
