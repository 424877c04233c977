import Logging
import NIOCore
import Synchronization

/// The open connections: at most one for each broker address and lane, made when first asked for.
///
/// Owned by ``Cluster``; any thread. The task that first needs a connection makes it, others wait for the outcome; so
/// there is no background task. After a failure an address is left alone for a while (``Backoff``).
final class ConnectionPool: Sendable {
    private struct Key: Hashable {
        let address: BrokerAddress
        let lane: ConnectionLane
    }

    private enum Entry {
        /// Some task is at it; its attempt can be ended from outside.
        case connecting(OneShot<RequestChannel>)
        case open(BrokerConnection)
    }

    private struct Failure {
        var backoff: Backoff
        var retryAt: ContinuousClock.Instant
        var error: any Error
        /// The failure's number, so that a waiter can tell whether the attempt it waited for failed.
        var number: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var failures: [BrokerAddress: Failure] = [:]
        var failureCount: UInt64 = 0
        /// Channels between connecting and open.
        var negotiating: [ObjectIdentifier: RequestChannel] = [:]
        var isClosed = false
    }

    private enum Step {
        case use(BrokerConnection)
        case wait
        case connect(OneShot<RequestChannel>, notBefore: ContinuousClock.Instant?)
        case stop
    }

    private let configuration: ClientConfiguration
    private let group: any EventLoopGroup
    private let reachability: Reachability
    private let state = Mutex(State())
    private let changed = Signal()

    init(configuration: ClientConfiguration, group: any EventLoopGroup, logger: Logger) {
        self.configuration = configuration
        self.group = group
        self.reachability = Reachability(logger: logger)
    }

    /// The connection to `address`, made if need be.
    ///
    /// - Throws: `KafkaClientError.unreachable`, `.closed`, or `CancellationError`.
    func connection(to address: BrokerAddress, lane: ConnectionLane) async throws -> BrokerConnection {
        let key = Key(address: address, lane: lane)
        let failuresSeen = state.withLock { $0.failureCount }
        while true {
            try Task.checkCancellation()
            let version = changed.version
            switch nextStep(key) {
            case .use(let connection):
                return connection
            case .wait:
                try await changed.wait(after: version)
                if let error = lastError(address, after: failuresSeen) { throw error }
            case .connect(let attempt, let notBefore):
                return try await connect(key, attempt: attempt, notBefore: notBefore)
            case .stop:
                throw KafkaClientError.closed
            }
        }
    }

    /// Addresses sorted by how promising they are: connected, then never tried or due, then those that failed lately.
    func sortedByPromise(_ addresses: [BrokerAddress], lane: ConnectionLane) -> [BrokerAddress] {
        let now = ContinuousClock.now
        let ranks = state.withLock { state in
            addresses.map { address -> Int in
                if case .open = state.entries[Key(address: address, lane: lane)] { return 0 }
                guard let failure = state.failures[address] else { return 1 }
                return failure.retryAt <= now ? 2 : 3
            }
        }
        return zip(addresses, ranks).enumerated()
            .sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }.map(\.element.0)
    }

    /// Closes the connections of one lane. Requests on them fail as ``KafkaClientError/closed``.
    func close(lane: ConnectionLane) {
        let connections = state.withLock { state in
            let closing = state.entries.filter { key, entry in
                guard key.lane == lane, case .open = entry else { return false }
                return true
            }
            for key in closing.keys { state.entries.removeValue(forKey: key) }
            return closing.values.compactMap { entry -> BrokerConnection? in
                if case .open(let connection) = entry { connection } else { nil }
            }
        }
        for connection in connections { connection.close() }
    }

    /// Closes everything, for good.
    func close() {
        let (entries, negotiating) = state.withLock { state in
            state.isClosed = true
            defer {
                state.entries.removeAll()
                state.negotiating.removeAll()
            }
            return (Array(state.entries.values), Array(state.negotiating.values))
        }
        for entry in entries {
            switch entry {
            case .connecting(let attempt): attempt.complete(.failure(KafkaClientError.closed))
            case .open(let connection): connection.close()
            }
        }
        for wire in negotiating { wire.close(.closed) }
        changed.notify()
    }

    private func nextStep(_ key: Key) -> Step {
        state.withLock { state in
            if state.isClosed { return .stop }
            switch state.entries[key] {
            case .open(let connection) where connection.isOpen:
                return .use(connection)
            case .connecting:
                return .wait
            case .open, nil:
                let attempt = OneShot<RequestChannel>()
                state.entries[key] = .connecting(attempt)
                return .connect(attempt, notBefore: state.failures[key.address]?.retryAt)
            }
        }
    }

    private func lastError(_ address: BrokerAddress, after seen: UInt64) -> (any Error)? {
        state.withLock { state in
            guard let failure = state.failures[address], failure.number > seen else { return nil }
            return failure.error
        }
    }

    /// Makes the connection `key` stands for; the entry is `.connecting`.
    private func connect(
        _ key: Key, attempt: OneShot<RequestChannel>, notBefore: ContinuousClock.Instant?
    ) async throws -> BrokerConnection {
        do {
            if let notBefore, notBefore > .now { try await pause(until: notBefore) }
            let connection = try await establish(key.address, attempt: attempt)
            let isKept = state.withLock { state in
                guard !state.isClosed else { return false }
                state.entries[key] = .open(connection)
                state.failures.removeValue(forKey: key.address)
                return true
            }
            guard isKept else {
                connection.close()
                throw KafkaClientError.closed
            }
            reachability.succeeded(key.address)
            changed.notify()
            return connection
        } catch {
            throw record(error, key: key)
        }
    }

    private func establish(
        _ address: BrokerAddress, attempt: OneShot<RequestChannel>
    ) async throws -> BrokerConnection {
        RequestChannel.connect(to: address, configuration: configuration, group: group).whenComplete { result in
            if !attempt.complete(result), case .success(let late) = result { late.close(.closed) }
        }
        let wire = try await attempt.value()
        let id = ObjectIdentifier(wire.channel)
        let isWanted = state.withLock { state in
            state.negotiating[id] = wire
            return !state.isClosed
        }
        defer { state.withLock { _ = $0.negotiating.removeValue(forKey: id) } }
        do {
            guard isWanted else { throw KafkaClientError.closed }
            return try await BrokerConnection.negotiate(over: wire, timeout: configuration.connectTimeout)
        } catch {
            wire.close(.closed)
            throw error
        }
    }

    /// Waits, unless the pool is closed meanwhile.
    private func pause(until deadline: ContinuousClock.Instant) async throws {
        while deadline > .now {
            let version = changed.version
            if state.withLock({ $0.isClosed }) { throw KafkaClientError.closed }
            try await changed.wait(after: version, until: deadline)
        }
    }

    /// Notes a failed attempt and returns the error to throw.
    private func record(_ error: any Error, key: Key) -> any Error {
        var failed: KafkaClientError?
        let isLastHope = state.withLock { state -> Bool in
            if case .connecting = state.entries[key] { state.entries.removeValue(forKey: key) }
            guard !(error is CancellationError), !state.isClosed else { return false }
            let error = KafkaClientError.unreachable(key.address, reason: ConnectFailure.text(of: error))
            failed = error
            var backoff = state.failures[key.address]?.backoff ?? Backoff(configuration.retryBackoff)
            let pause = backoff.next()
            state.failureCount += 1
            state.failures[key.address] = Failure(
                backoff: backoff, retryAt: .now + pause, error: error, number: state.failureCount)
            return !state.entries.values.contains { if case .open(let open) = $0 { open.isOpen } else { false } }
        }
        changed.notify()
        guard let failed else { return error is CancellationError ? error : KafkaClientError.closed }
        if case .unreachable(let address, let reason) = failed {
            reachability.failed(address, reason: reason, isLastHope: isLastHope)
        }
        return failed
    }
}
