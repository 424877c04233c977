internal import CoreMetrics
internal import Synchronization

/// How many fell into which bucket. Room for a fixed number of buckets, so that recording is a few comparisons and one
/// atomic addition in place.
struct BucketCounts: ~Copyable, Sendable {
    static let maximumBuckets = 16

    private let counts = InlineArray<16, Atomic<Int>> { _ in Atomic(0) }

    func add(_ bucket: Int) {
        counts[bucket].wrappingAdd(1, ordering: .relaxed)
    }

    func read(_ count: Int) -> [Int] {
        (0..<count).map { counts[$0].load(ordering: .relaxed) }
    }
}

/// A histogram of durations: nanoseconds come in, seconds go out.
final class TimerCell: Cell, TimerHandler {
    private let bounds: Buckets
    private let nanoseconds: [Int64]
    private let counts = BucketCounts()
    private let sum = Atomic<Int64>(0)

    init(_ bounds: Buckets) {
        self.bounds = bounds
        nanoseconds = bounds.upperBounds.map { Int64(($0 * 1e9).rounded()) }
    }

    func recordNanoseconds(_ duration: Int64) {
        var bucket = 0
        while bucket < nanoseconds.count, duration > nanoseconds[bucket] { bucket += 1 }
        counts.add(bucket)
        sum.wrappingAdd(duration, ordering: .relaxed)
    }

    var reading: CellReading {
        .histogram(
            bounds: bounds.upperBounds, counts: counts.read(bounds.upperBounds.count + 1),
            sum: Double(sum.load(ordering: .relaxed)) / 1e9)
    }
}

/// A histogram of any values.
final class RecorderCell: Cell, RecorderHandler {
    private let bounds: Buckets
    private let counts = BucketCounts()
    private let sum = AtomicDouble()

    init(_ bounds: Buckets) {
        self.bounds = bounds
    }

    func record(_ value: Int64) { record(Double(value)) }

    func record(_ value: Double) {
        var bucket = 0
        // A value that is none (NaN) falls into the last bucket.
        while bucket < bounds.upperBounds.count, !(value <= bounds.upperBounds[bucket]) { bucket += 1 }
        counts.add(bucket)
        sum.add(value)
    }

    var reading: CellReading {
        .histogram(
            bounds: bounds.upperBounds, counts: counts.read(bounds.upperBounds.count + 1), sum: sum.value)
    }
}
