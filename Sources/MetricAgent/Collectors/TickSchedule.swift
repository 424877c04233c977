import MetricModel

/// When to collect: at the multiples of an interval on the wall clock, so that the samples of all hosts and collectors
/// fall together, each at most once. A pure value; the caller looks at the clocks and sleeps.
struct TickSchedule {
    struct Tick: Equatable {
        /// How long to sleep, by the monotonic clock.
        var delay: Duration
        /// Ticks between the last one and this that are left out, since their time has passed.
        var missed: Int
    }

    private let intervalMilliseconds: Int64
    private var last: (index: Int64, plannedAt: Duration, delay: Duration)?

    /// - Parameter interval: at least a millisecond.
    init(interval: Duration) {
        intervalMilliseconds = max(1, interval.wholeMilliseconds)
    }

    /// The tick after `now`.
    ///
    /// - Parameter uptime: a monotonic clock's reading. The wall clock may be set back or forth: a tick is not waited
    ///   for longer than two intervals, and nothing was missed that there was no time for.
    mutating func next(now: Timestamp, uptime: Duration) -> Tick {
        var index = Self.floorDivide(now.milliseconds, intervalMilliseconds) + 1
        var missed: Int64 = 0
        if let last {
            if index == last.index {
                // Woken a little early, and the tick has been served.
                index += 1
            } else if index > last.index + 1 {
                let elapsed = uptime - last.plannedAt - last.delay
                let possible = max(0, elapsed.wholeMilliseconds) / intervalMilliseconds
                missed = min(index - last.index - 1, possible)
            }
        }
        let (start, overflow) = index.multipliedReportingOverflow(by: intervalMilliseconds)
        let delay = overflow ? Duration.milliseconds(intervalMilliseconds) : Timestamp(milliseconds: start) - now
        last = (index, uptime, delay)
        return Tick(delay: delay, missed: Int(missed))
    }

    /// What samples that are collected at `now` are dated: as their tick, if that is at most a hundredth of the interval away.
    /// Nobody wakes at the very millisecond; steps that are all alike take next to nothing in a chunk, and those that are not
    /// quite take more than the values do. As Prometheus aligns its scrapes.
    func date(_ now: Timestamp) -> Timestamp {
        let tolerance = intervalMilliseconds / 100
        let remainder = now.milliseconds % intervalMilliseconds
        let late = remainder < 0 ? remainder + intervalMilliseconds : remainder
        let early = intervalMilliseconds - late
        let step = late <= tolerance ? -late : early <= tolerance ? early : 0
        let (tick, isBeyond) = now.milliseconds.addingReportingOverflow(step)
        return isBeyond ? now : Timestamp(milliseconds: tick)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
