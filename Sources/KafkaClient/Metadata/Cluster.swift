public import KafkaProtocol
public import Logging
public import NIOCore
public import NIOPosix
import RecordBatch

/// A Kafka cluster: the connections to its brokers and what is known of its topics.
///
/// Shared by producers, consumers and ``Admin``; any thread. It has no background task: whatever must be connected or
/// looked up is, when a call needs it. When the cluster cannot be reached it logs one line, and one when it is back;
/// callers that retry need not log. Close it last.
///
///     let cluster = Cluster(
///         configuration: ClientConfiguration(bootstrap: try BrokerAddress.list(parsing: "127.0.0.1:9092")),
///         logger: logger)
///     let answer = try await cluster.send(ListGroupsRequest(), to: .any)
public final class Cluster: Sendable {
    /// Which broker a request is for.
    public enum Target: Hashable, Sendable {
        /// Whichever answers.
        case any
        /// The broker of this number.
        case broker(Int32)
        /// The one that creates and deletes topics.
        case controller
        /// The one that keeps this consumer group.
        case coordinator(group: String)
        /// The one that keeps the transactions of this transactional id.
        case transactionCoordinator(String)
        /// The one that leads this partition.
        case leader(TopicPartition)
    }

    /// As given.
    public let configuration: ClientConfiguration
    let logger: Logger
    private let pool: ConnectionPool
    private let coordinators = CoordinatorCache()
    private let metadataStore: MetadataStore

    /// - Parameter eventLoopGroup: where the connections live; it must outlive the cluster.
    public init(
        configuration: ClientConfiguration, logger: Logger,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) {
        precondition(!configuration.bootstrap.isEmpty, "a cluster needs at least one bootstrap address")
        self.configuration = configuration
        self.logger = logger
        self.pool = ConnectionPool(configuration: configuration, group: eventLoopGroup, logger: logger)
        self.metadataStore = MetadataStore(maximumAge: configuration.metadataMaxAge)
    }

    deinit {
        pool.close()
    }

    /// Sends one request and returns the broker's answer; one attempt, error codes in the answer are the caller's.
    ///
    /// The version is the highest both sides speak, at most `maximumVersion`. The request must be expressible in it:
    /// where fields differ between versions use ``send(to:lane:maximumVersion:timeout:expectsAnswer:build:)``.
    ///
    /// - Parameter timeout: for the answer; `requestTimeout` if nil.
    /// - Throws: ``KafkaClientError`` or `CancellationError`. The answer to a cancelled request is dropped; the broker
    ///   may have carried it out.
    public func send<Request: KafkaRequest>(
        _ request: Request, to target: Target, lane: ConnectionLane = .shared, maximumVersion: Int16 = .max,
        timeout: Duration? = nil
    ) async throws -> Request.Response where Request.Response: Sendable {
        try await send(to: target, lane: lane, maximumVersion: maximumVersion, timeout: timeout) { _ in request }
    }

    /// Sends the request that `build` makes for the negotiated version.
    public func send<Request: KafkaRequest>(
        to target: Target, lane: ConnectionLane = .shared, maximumVersion: Int16 = .max, timeout: Duration? = nil,
        expectsAnswer: Bool = true, build: @Sendable (_ version: Int16) throws -> Request
    ) async throws -> Request.Response where Request.Response: Sendable {
        let timeout = timeout ?? configuration.requestTimeout
        func exchange(_ connection: BrokerConnection) async throws -> Request.Response {
            try await connection.send(
                notAbove: maximumVersion, timeout: timeout, expectsAnswer: expectsAnswer, build: build)
        }
        if target == .any {
            return try await exchange(try await anyConnection(lane: lane))
        }
        let address = try await address(of: target)
        do {
            return try await exchange(try await pool.connection(to: address, lane: lane))
        } catch let error as KafkaClientError {
            forget(target, after: error)
            throw error
        }
    }

    /// What is known now, without asking anybody.
    public var knownMetadata: ClusterMetadata { metadataStore.snapshot }

    /// Metadata in which these topics are fresh. Those that do not exist are missing from it.
    ///
    /// - Parameter createMissing: let the cluster create them, if it is configured to create topics on first use.
    public func metadata(
        of topics: some Sequence<TopicName> & Sendable, createMissing: Bool = false
    ) async throws -> ClusterMetadata {
        try await current(topics: Set(topics), createMissing: createMissing)
    }

    /// Metadata of every topic, asked for now.
    public func refreshMetadata() async throws -> ClusterMetadata {
        metadataStore.installAll(try await fetchMetadata(of: nil, createMissing: false))
    }

    /// Says that what is known of these topics proved wrong, so that the next use asks again.
    public func invalidateMetadata(of topics: some Sequence<TopicName>) {
        metadataStore.invalidate(topics)
    }

    /// Says that the group's coordinator proved to be another one, so that the next use asks again.
    public func invalidateCoordinator(of group: String) {
        coordinators.forget(.group(group))
    }

    /// Says that the coordinator of a transactional id proved to be another one.
    func invalidateCoordinator(ofTransactions id: String) {
        coordinators.forget(.transactions(id))
    }

    /// Says that the controller proved to be another one.
    func invalidateController() {
        metadataStore.invalidateBrokers()
    }

    /// Notified when metadata changed or could not be had.
    var metadataChanged: Signal { metadataStore.changed }

    /// Closes the connections of one lane.
    public func close(_ lane: ConnectionLane) {
        pool.close(lane: lane)
    }

    /// Closes every connection. Calls under way and later ones throw ``KafkaClientError/closed``.
    public func close() {
        pool.close()
    }

    private func current(topics: Set<TopicName> = [], createMissing: Bool = false) async throws -> ClusterMetadata {
        try await metadataStore.current(topics: topics, createMissing: createMissing) { topics, createMissing in
            try await fetchMetadata(of: topics, createMissing: createMissing)
        }
    }

    private func fetchMetadata(of topics: [TopicName]?, createMissing: Bool) async throws -> MetadataResponse {
        try await send(to: .any) { version in
            var request = MetadataRequest()
            request.topics = topics?.map { MetadataRequest.MetadataRequestTopic(name: $0.rawValue) }
            // Before version 4 the cluster's configuration alone decides.
            if version >= 4 { request.allowAutoTopicCreation = createMissing }
            return request
        }
    }

    /// Tries every broker that is known and every bootstrap address once.
    private func anyConnection(lane: ConnectionLane) async throws -> BrokerConnection {
        var addresses = knownMetadata.brokers.values.map(\.address)
        addresses += configuration.bootstrap.filter { !addresses.contains($0) }
        var failure: any Error = KafkaClientError.closed
        for address in pool.sortedByPromise(addresses, lane: lane) {
            do {
                return try await pool.connection(to: address, lane: lane)
            } catch let error as KafkaClientError where error.isRetriable {
                failure = error
            }
        }
        throw failure
    }

    private func address(of target: Target) async throws -> BrokerAddress {
        switch target {
        case .any:
            return configuration.bootstrap[0]
        case .broker(let id):
            return try await address(ofBroker: id)
        case .controller:
            let metadata = try await current()
            // Brokers before 0.10 do not tell; any may then do or say NOT_CONTROLLER.
            guard let id = metadata.controllerID ?? metadata.brokers.keys.min() else {
                metadataStore.invalidateBrokers()
                throw KafkaClientError.unknownBroker(-1)
            }
            return try await address(ofBroker: id)
        case .coordinator(let group):
            return try await coordinatorAddress(of: .group(group))
        case .transactionCoordinator(let id):
            return try await coordinatorAddress(of: .transactions(id))
        case .leader(let partition):
            let metadata = try await current(topics: [partition.topic])
            let leader: Int32
            do {
                leader = try metadata.requireLeader(of: partition)
            } catch {
                metadataStore.invalidate([partition.topic])
                throw error
            }
            return try await address(ofBroker: leader)
        }
    }

    private func address(ofBroker id: Int32) async throws -> BrokerAddress {
        if let broker = knownMetadata.brokers[id] { return broker.address }
        metadataStore.invalidateBrokers()
        guard let broker = try await current().brokers[id] else {
            throw KafkaClientError.unknownBroker(id)
        }
        return broker.address
    }

    private func coordinatorAddress(of key: Coordinated) async throws -> BrokerAddress {
        if let known = coordinators.address(of: key) { return known }
        let (request, subject) =
            switch key {
            case .group(let name): (FindCoordinatorRequest(key: name), "coordinator of group \(name)")
            case .transactions(let id):
                (FindCoordinatorRequest(key: id, keyType: 1), "coordinator of transactions \(id)")
            }
        let answer: FindCoordinatorResponse = try await send(request, to: .any, maximumVersion: 3)
        guard answer.errorCode == .none else {
            throw KafkaClientError.refused(answer.errorCode, subject: subject, message: answer.errorMessage)
        }
        let address = BrokerAddress(host: answer.host, port: Int(answer.port))
        coordinators.learn(key, address: address)
        return address
    }

    /// Drops what led to a broker that does not answer.
    private func forget(_ target: Target, after error: KafkaClientError) {
        switch error {
        case .unreachable, .connectionLost, .timedOut, .malformedAnswer: break
        default: return
        }
        switch target {
        case .coordinator(let group): coordinators.forget(.group(group))
        case .transactionCoordinator(let id): coordinators.forget(.transactions(id))
        case .leader(let partition): metadataStore.invalidate([partition.topic])
        case .broker, .controller: metadataStore.invalidateBrokers()
        case .any: break
        }
    }
}
