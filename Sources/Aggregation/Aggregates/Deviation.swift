internal import MetricModel

/// `stddev`: the standard deviation of all samples around their mean (divided by n), as Prometheus's `stddev_over_time`.
struct StandardDeviation: Aggregate {
    private var moments = Moments()

    mutating func add(_ run: SeriesRun) { moments.add(run) }

    var value: Double? { moments.variance.squareRoot() }
}

/// `stdvar`: the variance of all samples (divided by n), as Prometheus's `stdvar_over_time`.
struct StandardVariance: Aggregate {
    private var moments = Moments()

    mutating func add(_ run: SeriesRun) { moments.add(run) }

    var value: Double? { moments.variance }
}

/// The sums of values and of their squares, to about 106 bits each: with so many, the variance as their difference does not
/// cancel out, and unlike Welford's method it does not depend on the order.
struct Moments: Sendable {
    private var count = 0
    private var sum = CompensatedSum(0)
    private var squares = CompensatedSum(0)

    mutating func add(_ run: SeriesRun) {
        for sample in run.samples {
            let value = sample.value
            sum.add(value)
            // A fused multiplication gives what rounding took from the square, exactly (T. J. Dekker's product).
            let square = value * value
            squares.add(square)
            if square.isFinite { squares.add((-square).addingProduct(value, value)) }
        }
        count += run.samples.count
    }

    /// (Σx² − (Σx)² / n) / n. NaN with NaN or infinities among the values; +Inf when squares overflow (beyond 10^154).
    var variance: Double {
        guard sum.value.isFinite else { return .nan }
        guard squares.value.isFinite else { return .infinity }
        let n = Double(count)
        // (Σx)² / n in two parts, `quotient + rest`.
        let product = sum.value * sum.value
        let productError = (-product).addingProduct(sum.value, sum.value) + 2 * sum.value * sum.remainder
        let quotient = product / n
        let rest = (product.addingProduct(-quotient, n) + productError) / n
        return max(0, ((squares.value - quotient) + (squares.remainder - rest)) / n)
    }
}
