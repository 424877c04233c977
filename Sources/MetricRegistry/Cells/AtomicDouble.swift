internal import Synchronization

/// A floating-point number that any thread may set or add to.
struct AtomicDouble: ~Copyable, Sendable {
    private let bits = Atomic<UInt64>(0)

    var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }

    func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    func add(_ amount: Double) {
        var before = bits.load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: before) + amount).bitPattern
            let (exchanged, current) = bits.weakCompareExchange(expected: before, desired: sum, ordering: .relaxed)
            if exchanged { return }
            before = current
        }
    }
}
