public import MetricModel

/// What a vector selector selects of one series at given instants: the newest sample that is not after the instant and
/// less than the lookback before it, as Prometheus evaluates a range query.
public struct InstantSelection: Sendable {
    /// How far before an instant a sample may lie; Prometheus's default.
    public static let defaultLookback: Duration = .seconds(300)

    /// The instants, ascending.
    public let instants: [Timestamp]
    public let lookback: Duration

    /// Instants `step` apart that end at `end`, the first at or after `start`.
    ///
    /// - Precondition: `step` is longer than zero.
    public init(from start: Timestamp, to end: Timestamp, step: Duration, lookback: Duration = defaultLookback) {
        precondition(step > .zero)
        var instants: [Timestamp] = []
        var instant = end
        while instant >= start {
            instants.append(instant)
            instant = instant - step
        }
        self.instants = instants.reversed()
        self.lookback = lookback
    }

    /// The selected samples, one for each instant that has one, with the *instant* as their timestamp.
    ///
    /// - Parameter samples: of one series, ascending by time.
    public func select(from samples: [Sample]) -> [Sample] {
        var selected: [Sample] = []
        var next = 0
        for instant in instants {
            while next < samples.count, samples[next].timestamp <= instant { next += 1 }
            guard next > 0 else { continue }
            let sample = samples[next - 1]
            if instant - sample.timestamp < lookback {
                selected.append(Sample(timestamp: instant, value: sample.value))
            }
        }
        return selected
    }
}
