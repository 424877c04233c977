import NIOCore
import Synchronization

@testable import Broker

/// A broker's clock that stands still until a test moves it; both of its times move together.
final class HeldClock: Sendable {
    /// Milliseconds since the epoch when it begins.
    static let start: Int64 = 1_700_000_000_000
    private let passed = Mutex<Int64>(0)
    private let began = NIODeadline.now()

    var clock: BrokerClock {
        BrokerClock(
            now: { self.began + .milliseconds(self.passed.withLock { $0 }) },
            wallMilliseconds: { Self.start + self.passed.withLock { $0 } })
    }

    func advance(_ duration: TimeAmount) {
        self.passed.withLock { $0 += duration.nanoseconds / 1_000_000 }
    }
}
