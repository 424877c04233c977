internal import KafkaClient
internal import KafkaProtocol
internal import Logging
internal import MetricAgent
internal import NIOCore
internal import ServiceLifecycle

/// Where a generator's records go. Made when it runs.
enum WorkloadOutput: Sendable {
    private static let farewell = Duration.milliseconds(500)

    /// A spool for each partition, so that the sequence numbers of a spool are one partition's.
    case brokers(lanes: [WorkloadLane], laneOfHost: [Int])
    case direct(DirectPublisher)

    var laneCount: Int {
        switch self {
        case .brokers(let lanes, _): lanes.count
        case .direct: 1
        }
    }

    func lane(ofHost host: Int) -> Int {
        switch self {
        case .brokers(_, let laneOfHost): laneOfHost[host]
        case .direct: 0
        }
    }

    /// Sends until the task is cancelled.
    func run() async {
        guard case .brokers(let lanes, _) = self else { return }
        await withDiscardingTaskGroup { group in
            for lane in lanes { group.addTask { await lane.publisher.run() } }
        }
    }

    /// Waits until brokers have acknowledged everything.
    func drain(within patience: Duration) async {
        guard case .brokers(let lanes, _) = self else { return }
        let deadline = ContinuousClock.now + patience
        while lanes.contains(where: { $0.publisher.waitingRecords > 0 }), .now < deadline {
            guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { return }
        }
    }

    /// Lets what was accepted go out: at the end of a workload for as long as `patience`, at a shutdown for moments.
    func sayFarewell(within patience: Duration) async {
        let grace = Task.isShuttingDownGracefully ? Self.farewell : patience
        switch self {
        case .brokers(let lanes, _):
            await withDiscardingTaskGroup { group in
                for lane in lanes { group.addTask { await lane.publisher.sayFarewell(within: grace) } }
            }
        case .direct(let publisher): await publisher.sayFarewell(within: grace)
        }
    }

    func close() async throws {
        switch self {
        case .brokers(let lanes, _): for lane in lanes { try await lane.publisher.close() }
        case .direct(let publisher): await publisher.close()
        }
    }

    func add(to statistics: inout WorkloadStatistics) {
        switch self {
        case .brokers(let lanes, _):
            for lane in lanes {
                let own = lane.publisher.statistics
                statistics.published.publishedRecords += own.publishedRecords
                statistics.published.lostRecords += own.lostRecords
                statistics.published.waitingRecords += own.waitingRecords
                statistics.published.waitingBytes += own.waitingBytes
                statistics.published.spoolBytes += own.spoolBytes
                statistics.connections += own.connections
                statistics.bytesIn += own.bytesIn
                statistics.bytesOut += own.bytesOut
            }
        case .direct(let publisher):
            statistics.direct = publisher.statistics
            statistics.connections = publisher.traffic.openConnections
            statistics.bytesIn = publisher.traffic.bytesIn
            statistics.bytesOut = publisher.traffic.bytesOut
        }
    }
}

/// The way to one partition.
struct WorkloadLane: Sendable {
    let partition: Int32
    let publisher: SpooledPublisher
}

/// Finds out which partition each host's records go to, as every Kafka client finds it: by the murmur2 of the key.
struct WorkloadPartitions: Sendable {
    private static let retryPause = Duration.milliseconds(200)

    let topic: TopicName
    let bootstrap: [BrokerAddress]
    let logger: Logger

    /// The partitions of these keys. Waits while the cluster cannot be reached.
    ///
    /// - Parameter count: creates the topic with so many partitions, unless it is there.
    func partitions(of keys: [String], creating count: Int?) async throws -> [Int32] {
        let cluster = Cluster(
            configuration: ClientConfiguration(bootstrap: bootstrap, clientID: "weir-generate"), logger: logger)
        defer { cluster.close() }
        if let count { try await create(count, on: cluster) }
        let producer = Producer(cluster: cluster)
        var partitions: [Int32] = []
        for key in keys {
            partitions.append(
                try await producer.partition(forKey: ByteBuffer(string: key), topic: topic).rawValue)
        }
        await producer.close(within: .zero)
        return partitions
    }

    private func create(_ count: Int, on cluster: Cluster) async throws {
        let admin = Admin(cluster: cluster)
        while true {
            do {
                try await admin.createTopic(NewTopic(name: topic, partitions: count))
                return
            } catch KafkaClientError.refused(.topicAlreadyExists, _, _) {
                return
            } catch let error as KafkaClientError where error.isRetriable {
                try await Task.sleep(for: Self.retryPause)
            }
        }
    }
}
