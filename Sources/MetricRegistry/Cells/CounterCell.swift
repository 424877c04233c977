internal import CoreMetrics
internal import Synchronization

/// A counter of whole numbers. A negative increment is passed over: counters only go up.
final class CounterCell: Cell, CounterHandler {
    private let total = Atomic<Int64>(0)

    func increment(by amount: Int64) {
        if amount > 0 { total.wrappingAdd(amount, ordering: .relaxed) }
    }

    func reset() {
        total.store(0, ordering: .relaxed)
    }

    var reading: CellReading { .value(Double(total.load(ordering: .relaxed))) }
}

/// A counter of fractions, such as seconds.
final class FloatingPointCounterCell: Cell, FloatingPointCounterHandler {
    private let total = AtomicDouble()

    func increment(by amount: Double) {
        if amount > 0, amount.isFinite { total.add(amount) }
    }

    func reset() {
        total.set(0)
    }

    var reading: CellReading { .value(total.value) }
}
