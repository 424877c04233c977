internal import MetricModel

/// When each host of a workload is to collect, counted from the workload's start: a value that gives one run after the
/// other, in order of time. Nothing but its settings decides, so the number of runs and their times are the same each time.
///
///     host 0   ●           ●           ● ● ● ● ● ●           ●
///     host 1     ●           ●          ● ● ● ● ● ●            ●         spread: host i is i/N of an interval later
///              └ interval ─┘           └ burst: interval / factor ┘
public struct WorkloadSchedule: Sendable {
    /// How the hosts' runs lie within an interval.
    public enum Shape: String, CaseIterable, Sendable {
        /// Evenly over it.
        case spread
        /// All at its beginning, as those of real agents.
        case aligned
    }

    /// A time of a higher rate.
    public struct Burst: Sendable, Equatable {
        /// How many times as many runs.
        public var factor: Int
        /// From the workload's start.
        public var start: Duration
        public var length: Duration

        public init(factor: Int, start: Duration, length: Duration) {
            self.factor = factor
            self.start = start
            self.length = length
        }
    }

    /// One run of one host.
    struct Run: Equatable {
        var milliseconds: Int64
        var host: Int
    }

    private let hosts: Int
    private let interval: Int64
    private let end: Int64
    private let burst: (factor: Int64, times: Range<Int64>)?
    private let shape: Shape
    /// The start of the round that is being given, and its length.
    private var round: Int64 = 0
    private var step: Int64
    private var host = 0

    /// - Parameters:
    ///   - interval: a millisecond at least, also in a burst.
    ///   - duration: no round begins later; nil for no end.
    init(hosts: Int, interval: Duration, duration: Duration?, burst: Burst?, shape: Shape) {
        self.hosts = hosts
        self.interval = max(1, interval.wholeMilliseconds)
        self.shape = shape
        end = duration?.wholeMilliseconds ?? .max
        self.burst = burst.map { burst in
            let start = burst.start.wholeMilliseconds
            return (Int64(max(1, burst.factor)), start..<max(start, start + burst.length.wholeMilliseconds))
        }
        step = 0
        step = length(ofRoundAt: 0)
    }

    /// The next run; nil when the workload is over.
    mutating func next() -> Run? {
        if host == hosts {
            host = 0
            round += step
            step = length(ofRoundAt: round)
        }
        guard round < end else { return nil }
        defer { host += 1 }
        let phase = shape == .spread ? Int64(host) * step / Int64(hosts) : 0
        return Run(milliseconds: round + phase, host: host)
    }

    private func length(ofRoundAt time: Int64) -> Int64 {
        guard let burst, burst.times.contains(time) else { return interval }
        return max(1, interval / burst.factor)
    }
}
