import Logging
import Synchronization

/// Turns the outcome of every connection attempt into few log lines: one when a broker can no longer be reached, one
/// when it is back. While nothing can be reached at all, the first broker's line stands for all of them.
///
/// Owned by ``ConnectionPool``; any thread.
final class Reachability: Sendable {
    private struct Outage {
        let since: ContinuousClock.Instant
        var isLogged: Bool
    }

    private struct State {
        var outages: [BrokerAddress: Outage] = [:]
        /// Set when an attempt failed while no connection was open, until one succeeds.
        var isAllDown = false
    }

    private let logger: Logger
    private let state = Mutex(State())

    init(logger: Logger) {
        self.logger = logger
    }

    /// A connection could not be made. `isLastHope`: no other connection is open.
    func failed(_ address: BrokerAddress, reason: String, isLastHope: Bool) {
        let logs = state.withLock { state -> Bool in
            let stands = state.isAllDown
            if isLastHope { state.isAllDown = true }
            var outage = state.outages[address] ?? Outage(since: .now, isLogged: false)
            let logs = !outage.isLogged && !stands
            if logs { outage.isLogged = true }
            state.outages[address] = outage
            return logs
        }
        if logs {
            logger.warning("cannot reach \(address): \(reason); retrying")
        } else {
            logger.debug("cannot reach \(address): \(reason)")
        }
    }

    /// A connection is up.
    func succeeded(_ address: BrokerAddress) {
        let outage = state.withLock { state -> Outage? in
            let wasAllDown = state.isAllDown
            state.isAllDown = false
            guard let outage = state.outages.removeValue(forKey: address) else {
                // Another broker than the one whose line stands for the outage.
                guard wasAllDown, let first = state.outages.values.map(\.since).min() else { return nil }
                return Outage(since: first, isLogged: true)
            }
            return outage.isLogged || wasAllDown ? outage : nil
        }
        guard let outage else { return }
        logger.info("reached \(address) again after \(Self.text(.now - outage.since))")
    }

    private static func text(_ duration: Duration) -> String {
        let milliseconds = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        return milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1000) s"
    }
}
