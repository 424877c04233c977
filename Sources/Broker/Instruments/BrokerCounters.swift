import CoreMetrics
import Instruments
import KafkaProtocol
import NIOCore
import Synchronization

/// The one bookkeeping of what a broker does: `BrokerStatistics` and the metrics are read from it. Any thread may count;
/// on the way of a request that is an atomic addition.
final class BrokerCounters: Sendable {
    private let limits = LimitCounters()
    /// By the API's number.
    private let apis: [APIInstruments?]
    let unreadableRequests = Counter()
    let acceptedConnections = Counter()
    /// Bytes of requests that are half arrived or unanswered. Goes up and down.
    let requestBytes = Counter()
    /// Bytes of answers that wait for peers to take them. Goes up and down.
    let answerBytes = Counter()
    /// Work that waits for a thread of the pool. Goes up and down.
    let poolQueue = Counter()
    let expiredSegments = Counter()
    let expiredBytes = Counter()
    let compactedBytes = Counter()
    let failedWrites = Counter()
    private let syncSeconds: CoreMetrics.Timer
    private let syncFailures = Counter()
    private let traffic = Mutex(Traffic())

    private struct Traffic {
        var topics: [String: TopicTraffic] = [:]
        /// Of topics that are gone.
        var producedRecords = 0
        var producedBytes = 0
        var fetchedBytes = 0
    }

    init(metrics: any MetricsFactory) {
        let count = (APIKey.allCases.map { Int($0.rawValue) }.max() ?? -1) + 1
        var apis = [APIInstruments?](repeating: nil, count: count)
        for api in APIKey.allCases { apis[Int(api.rawValue)] = APIInstruments(api, metrics: metrics) }
        self.apis = apis
        self.syncSeconds = BrokerMetrics.syncSeconds.timer(in: metrics)
    }

    func instruments(of api: APIKey) -> APIInstruments? { self.apis[Int(api.rawValue)] }

    /// A limit had an effect.
    func reached(_ limit: BrokerLimit, times: Int = 1) { self.limits.counters[limit.rawValue].add(times) }

    func timesReached(_ limit: BrokerLimit) -> Int { self.limits.counters[limit.rawValue].value }

    /// A log was synced to disk, or was not.
    func synced(after time: TimeAmount, failed: Bool) {
        self.syncSeconds.recordNanoseconds(time.nanoseconds)
        if failed { self.syncFailures.add(1) }
    }

    /// What is counted of a topic.
    func traffic(of topic: String) -> TopicTraffic {
        self.traffic.withLock { traffic in
            if let known = traffic.topics[topic] { return known }
            let new = TopicTraffic()
            traffic.topics[topic] = new
            return new
        }
    }

    /// The topic is deleted; the broker's totals keep what it had.
    func topicDeleted(_ topic: String) {
        self.traffic.withLock { traffic in
            guard let gone = traffic.topics.removeValue(forKey: topic) else { return }
            traffic.producedRecords += gone.producedRecords.value
            traffic.producedBytes += gone.producedBytes.value
            traffic.fetchedBytes += gone.fetchedBytes.value
        }
    }

    /// What all topics there are and were come to.
    var totalTraffic: (producedRecords: Int, producedBytes: Int, fetchedBytes: Int) {
        self.traffic.withLock { traffic in
            traffic.topics.values.reduce((traffic.producedRecords, traffic.producedBytes, traffic.fetchedBytes)) {
                ($0.0 + $1.producedRecords.value, $0.1 + $1.producedBytes.value, $0.2 + $1.fetchedBytes.value)
            }
        }
    }

    var totalRequests: Int { self.apis.reduce(0) { $0 + ($1?.requests.value ?? 0) } }

    /// Bytes of all requests taken and of all answers given.
    var totalBytes: (received: Int, answered: Int) {
        self.apis.reduce((0, 0)) {
            ($0.0 + ($1?.requestBytes.value ?? 0), $0.1 + ($1?.responseBytes.value ?? 0))
        }
    }

    func report(to report: inout MetricReport) {
        for api in self.apis { api?.report(to: &report) }
        report.count(BrokerMetrics.unreadableRequests, self.unreadableRequests.value)
        report.count(BrokerMetrics.acceptedConnections, self.acceptedConnections.value)
        report.reading(BrokerMetrics.queuedBytes, self.requestBytes.value)
        report.reading(BrokerMetrics.unsentBytes, self.answerBytes.value)
        report.reading(BrokerMetrics.poolQueue, self.poolQueue.value)
        report.count(BrokerMetrics.syncFailures, self.syncFailures.value)
        report.count(BrokerMetrics.expiredSegments, self.expiredSegments.value)
        report.count(BrokerMetrics.expiredBytes, self.expiredBytes.value)
        report.count(BrokerMetrics.compactedBytes, self.compactedBytes.value)
        report.count(BrokerMetrics.failedWrites, self.failedWrites.value)
        for limit in BrokerLimit.allCases where self.timesReached(limit) > 0 {
            report.count(BrokerMetrics.limitReached, self.timesReached(limit), [limit.name])
        }
    }
}

/// A counter for each limit, in the order of their cases.
private struct LimitCounters: Sendable {
    let counters = BrokerLimit.allCases.map { _ in Counter() }
}
