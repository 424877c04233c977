import KafkaProtocol
import Synchronization

/// Keeps the metadata snapshot and says which topics must be asked for (again).
///
/// Owned by ``Cluster``; any thread. The task that first needs a refresh makes it, others wait for its outcome.
final class MetadataStore: Sendable {
    private struct State {
        var snapshot = ClusterMetadata()
        /// When each topic was last heard of.
        var fetchedAt: [TopicName: ContinuousClock.Instant] = [:]
        var brokersFetchedAt: ContinuousClock.Instant?
        var isRefreshing = false
        /// What the next refresh asks for.
        var wanted: Set<TopicName> = []
        var creates: Set<TopicName> = []
        var failureCount: UInt64 = 0
        var lastError: (any Error)?
    }

    private enum Step {
        case ready
        case wait
        case refresh([TopicName], createMissing: Bool)
    }

    private let maximumAge: Duration
    private let state = Mutex(State())
    /// Notified with each new snapshot and each failure.
    let changed = Signal()

    init(maximumAge: Duration) {
        self.maximumAge = maximumAge
    }

    var snapshot: ClusterMetadata { state.withLock { $0.snapshot } }

    /// The next use of these topics asks the cluster again.
    func invalidate(_ topics: some Sequence<TopicName>) {
        state.withLock { state in
            for topic in topics { state.fetchedAt.removeValue(forKey: topic) }
        }
    }

    /// The next use of the list of brokers asks the cluster again.
    func invalidateBrokers() {
        state.withLock { $0.brokersFetchedAt = nil }
    }

    /// A snapshot in which these topics are as fresh as `maximumAge` asks. Topics that do not exist are missing from
    /// it.
    ///
    /// Metadata that is merely old is used if the cluster cannot be asked. `fetch` asks it.
    func current(
        topics: Set<TopicName>, createMissing: Bool,
        fetch: (_ topics: [TopicName], _ createMissing: Bool) async throws -> MetadataResponse
    ) async throws -> ClusterMetadata {
        let started = ContinuousClock.now
        let failuresSeen = state.withLock { $0.failureCount }
        while true {
            let version = changed.version
            switch nextStep(topics, createMissing: createMissing, started: started) {
            case .ready:
                return snapshot
            case .wait:
                try await changed.wait(after: version)
                let error = state.withLock { $0.failureCount > failuresSeen ? $0.lastError : nil }
                if let error, !isKnown(topics) { throw error }
            case .refresh(let wanted, let createMissing):
                do {
                    let answer = try await fetch(wanted, createMissing)
                    install(answer, asked: wanted)
                } catch {
                    abandonRefresh(error)
                    if error is CancellationError || !isKnown(topics) { throw error }
                    return snapshot
                }
            }
        }
    }

    /// Takes over an answer about every topic there is.
    func installAll(_ answer: MetadataResponse) -> ClusterMetadata {
        install(answer, asked: nil)
        return snapshot
    }

    private func isKnown(_ topics: Set<TopicName>) -> Bool {
        state.withLock { state in topics.allSatisfy { state.fetchedAt[$0] != nil } && state.brokersFetchedAt != nil }
    }

    private func nextStep(
        _ topics: Set<TopicName>, createMissing: Bool, started: ContinuousClock.Instant
    ) -> Step {
        state.withLock { state in
            let oldest = started - maximumAge
            let stale = topics.filter { topic in
                guard let at = state.fetchedAt[topic], at >= oldest else { return true }
                // A topic known to be missing is asked for once per call, it may have been created meanwhile.
                return state.snapshot.topics[topic] == nil && at < started
            }
            let brokersAreStale = state.brokersFetchedAt.map { $0 < oldest } ?? true
            if stale.isEmpty && !brokersAreStale { return .ready }
            state.wanted.formUnion(stale)
            if createMissing { state.creates.formUnion(stale) }
            if state.isRefreshing { return .wait }
            state.isRefreshing = true
            // One request cannot create some and not others, so those to be created go first.
            let creates = !state.creates.isEmpty
            let wanted = creates ? state.creates : state.wanted
            state.wanted.subtract(wanted)
            state.creates.removeAll()
            return .refresh(wanted.sorted { $0.rawValue < $1.rawValue }, createMissing: creates)
        }
    }

    private func abandonRefresh(_ error: any Error) {
        state.withLock { state in
            state.isRefreshing = false
            if !(error is CancellationError) {
                state.failureCount += 1
                state.lastError = error
            }
        }
        changed.notify()
    }

    private func install(_ answer: MetadataResponse, asked: [TopicName]?) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.snapshot.merge(answer, replacesTopics: asked == nil)
            state.brokersFetchedAt = now
            if let asked {
                for topic in asked { state.fetchedAt[topic] = now }
                state.isRefreshing = false
            } else {
                state.fetchedAt = [:]
                for topic in state.snapshot.topics.keys { state.fetchedAt[topic] = now }
            }
        }
        changed.notify()
    }
}
