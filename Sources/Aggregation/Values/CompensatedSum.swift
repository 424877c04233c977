/// A sum of doubles that keeps what each addition rounds away, so that it hardly depends on the order.
///
/// The unevaluated pair `value + remainder` holds about 106 bits (T. J. Dekker, "A floating-point technique for
/// extending the available precision", 1971). Windows are merged from parts in whatever order samples arrive, and
/// this makes the result the one a single pass over the raw samples gives. For values like counts, whose plain
/// sum is exact, the remainder is zero.
public struct CompensatedSum: Hashable, Sendable {
    /// The sum as one double.
    public private(set) var value: Double
    /// What `value` lacks; zero when the sum is exact or not finite.
    public private(set) var remainder: Double

    public init(_ value: Double) {
        self.value = value
        remainder = 0
    }

    /// A sum that was stored as its two parts.
    public init(value: Double, remainder: Double) {
        self.value = value
        self.remainder = remainder
    }

    public mutating func add(_ term: Double) {
        add(term, remainder: 0)
    }

    public mutating func add(_ other: CompensatedSum) {
        add(other.value, remainder: other.remainder)
    }

    private mutating func add(_ term: Double, remainder termRemainder: Double) {
        // D. E. Knuth's TwoSum: `total + error` equals `value + term` exactly, whichever is larger.
        let total = value + term
        let termAsAdded = total - value
        let error = (value - (total - termAsAdded)) + (term - termAsAdded)
        guard total.isFinite else {
            // Infinities and NaN behave as in a plain sum; the error term would turn infinity into NaN.
            value = total
            remainder = 0
            return
        }
        let rest = error + remainder + termRemainder
        value = total + rest
        remainder = rest - (value - total)
    }
}
