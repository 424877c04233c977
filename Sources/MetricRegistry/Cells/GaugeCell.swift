internal import CoreMetrics

/// A value that goes up and down: swift-metrics' meters, and its recorders that do not aggregate.
final class GaugeCell: Cell, MeterHandler, RecorderHandler {
    private let value = AtomicDouble()

    func set(_ value: Int64) { self.value.set(Double(value)) }
    func set(_ value: Double) { self.value.set(value) }
    func increment(by amount: Double) { value.add(amount) }
    func decrement(by amount: Double) { value.add(-amount) }

    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }

    var reading: CellReading { .value(value.value) }
}
