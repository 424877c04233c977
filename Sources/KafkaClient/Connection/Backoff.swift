/// Pauses between attempts: they double from the first to the longest, each with a jitter of ±20 % so that many
/// clients of a broker that comes back do not arrive at once. A value of whoever retries.
package struct Backoff: Sendable {
    package let range: ClosedRange<Duration>
    package private(set) var failures = 0

    package init(_ range: ClosedRange<Duration>) {
        self.range = range
    }

    /// The pause after one more failure.
    package mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// The pause after one more failure, with a given source of randomness.
    package mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        let doubled = range.lowerBound * (1 << min(failures, 16))
        failures += 1
        return min(doubled, range.upperBound) * Double.random(in: 0.8...1.2, using: &generator)
    }

    package mutating func reset() {
        failures = 0
    }
}
