public import Broker
internal import Glibc
internal import KafkaClient
public import MetricAgent
internal import MetricModel
internal import MetricRegistry
public import Subscriber

// What the services say of themselves, as a report has it.

extension ProcessReport {
    private static let start = ContinuousClock.now

    /// What can be said of any process.
    init(role: String) {
        self.role = role
        pid = Int(getpid())
        timeMs = Timestamp.now().milliseconds
        let uptime = (ContinuousClock.now - Self.start).components
        uptimeSeconds = Double(uptime.seconds) + Double(uptime.attoseconds) / 1e18
        let usage = ProcessUsage.now()
        process = Process(
            cpuSeconds: usage.cpuSeconds, rssBytes: usage.residentBytes, maxRssBytes: usage.maximumResidentBytes,
            openDescriptors: usage.openDescriptors)
    }

    public mutating func add(_ service: AgentService) {
        let statistics = service.statistics
        network = Network(
            connections: statistics.connections, bytesIn: statistics.bytesIn, bytesOut: statistics.bytesOut)
        var publisher = Publisher()
        publisher.collectedSamples = statistics.samplesCollected
        publisher.refusedSamples = statistics.samplesRefused
        publisher.offeredSamples = statistics.samplesAccepted
        publisher.offeredRecords =
            statistics.direct.first?.offered.records ?? statistics.recordsPublished + statistics.recordsWaiting
        publisher.publishedRecords = statistics.recordsPublished
        publisher.lostRecords = statistics.recordsLost
        publisher.waitingRecords = statistics.recordsWaiting
        publisher.waitingBytes = statistics.bytesWaiting
        if !statistics.direct.isEmpty { publisher.direct = statistics.direct.map(Publisher.Direct.init) }
        self.publisher = publisher
    }

    public mutating func add(_ generator: WorkloadGenerator) {
        let statistics = generator.statistics
        network = Network(
            connections: statistics.connections, bytesIn: statistics.bytesIn, bytesOut: statistics.bytesOut)
        var publisher = Publisher()
        publisher.collectedSamples = statistics.samples
        publisher.refusedSamples = statistics.refusedSamples
        publisher.offeredRecords = statistics.records
        publisher.offeredSamples = statistics.samples - statistics.refusedSamples
        publisher.publishedRecords = statistics.published.publishedRecords
        publisher.lostRecords = statistics.published.lostRecords
        publisher.waitingRecords = statistics.published.waitingRecords
        publisher.waitingBytes = statistics.published.waitingBytes
        publisher.longestLatenessMs = Int(statistics.longestLateness.wholeMilliseconds)
        if !statistics.direct.isEmpty { publisher.direct = statistics.direct.map(Publisher.Direct.init) }
        self.publisher = publisher
    }

    public mutating func add(_ service: SubscriberService) {
        let statistics = service.statistics
        for traffic in service.traffic {
            network.connections += traffic.openConnections
            network.bytesIn += traffic.bytesIn
            network.bytesOut += traffic.bytesOut
        }
        var subscriber = Subscriber()
        subscriber.records = Int(statistics.recordsRead)
        subscriber.samplesStored = Int(statistics.samplesStored)
        subscriber.duplicateRecords = Int(statistics.duplicateRecords)
        subscriber.duplicateSamples = Int(statistics.duplicateSamples)
        subscriber.rejectedLines = Int(statistics.rejectedLines)
        subscriber.expiredSamples = Int(statistics.expiredSamples)
        subscriber.commits = Int(statistics.commits)
        subscriber.series = Int(statistics.seriesCreated)
        subscriber.lagRecords = Int(statistics.lag)
        subscriber.databaseBytes = Int(statistics.databaseBytes)
        subscriber.latency = service.latency
        subscriber.arrival = service.arrival
        subscriber.direct = statistics.direct.map(Subscriber.Direct.init)
        self.subscriber = subscriber
    }

    public mutating func add(_ service: BrokerService) {
        let statistics = service.statistics
        network = Network(
            connections: statistics.connections, bytesIn: statistics.receivedBytes,
            bytesOut: statistics.answeredBytes)
        broker = Broker(
            connections: statistics.connections, acceptedConnections: statistics.acceptedConnections,
            requests: statistics.requests, requestBytes: statistics.receivedBytes,
            responseBytes: statistics.answeredBytes, producedRecords: statistics.producedRecords,
            producedBytes: statistics.producedBytes, fetchedBytes: statistics.fetchedBytes)
    }
}

extension ProcessReport.Publisher.Direct {
    init(_ statistics: DirectStatistics) {
        destination = "\(statistics.destination)"
        isConnected = statistics.isConnected
        connections = statistics.connections
        offeredRecords = statistics.offered.records
        offeredSamples = statistics.offered.samples
        sentRecords = statistics.sent.records
        sentSamples = statistics.sent.samples
        sentBytes = statistics.sentBytes
        waitingRecords = statistics.waiting.records
        waitingSamples = statistics.waiting.samples
        for reason in DirectStatistics.Loss.allCases {
            lostRecords[reason.rawValue] = statistics.lost(reason).records
            lostSamples[reason.rawValue] = statistics.lost(reason).samples
        }
    }
}

extension ProcessReport.Subscriber.Direct {
    init(_ statistics: DirectIntakeStatistics) {
        connections = statistics.connections
        accepted = statistics.acceptedConnections
        records = statistics.records
        bytes = statistics.bytes
        brokenRecords = statistics.brokenRecords
        unreadableConnections = statistics.unreadableConnections
        for name in DirectLimits.Name.allCases {
            limitsReached[name.rawValue] = statistics.limitsReached[name, default: 0]
        }
    }
}
