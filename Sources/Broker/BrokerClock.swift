import Glibc
import NIOCore

/// The two times a broker needs, injected so that tests decide them.
struct BrokerClock: Sendable {
    /// For deadlines.
    var now: @Sendable () -> NIODeadline
    /// Milliseconds since the epoch, for timestamps in records.
    var wallMilliseconds: @Sendable () -> Int64

    static let system = BrokerClock(
        now: { .now() },
        wallMilliseconds: {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
        })
}
