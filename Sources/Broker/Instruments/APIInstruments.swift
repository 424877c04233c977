import CoreMetrics
import Instruments
import KafkaProtocol
import NIOCore
import Synchronization

/// What is counted of one API's requests. Made once per broker; any thread may count.
final class APIInstruments: Sendable {
    let api: APIKey
    let requests = Counter()
    let requestBytes = Counter()
    let responseBytes = Counter()
    private let seconds: CoreMetrics.Timer
    /// Only answers with errors come here.
    private let errors = Mutex<[ErrorCode: Int]>([:])

    init(_ api: APIKey, metrics: any MetricsFactory) {
        self.api = api
        self.seconds = BrokerMetrics.requestSeconds.timer([Self.name(of: api)], in: metrics)
    }

    /// Kafka's name: `Produce`, `ListOffsets`.
    static func name(of api: APIKey) -> String {
        let name = "\(api)"
        return name.prefix(1).uppercased() + name.dropFirst()
    }

    func took(bytes: Int) {
        self.requests.add(1)
        self.requestBytes.add(bytes)
    }

    func answered(bytes: Int, after time: TimeAmount) {
        self.responseBytes.add(bytes)
        self.seconds.recordNanoseconds(time.nanoseconds)
    }

    /// A request that has no answer has come to its end.
    func ended(after time: TimeAmount) {
        self.seconds.recordNanoseconds(time.nanoseconds)
    }

    func countErrors(in response: some KafkaResponse) {
        response.forEachErrorCode { code in
            if code != .none { self.errors.withLock { $0[code, default: 0] += 1 } }
        }
    }

    /// APIs that nobody has used are left out.
    func report(to report: inout MetricReport) {
        guard self.requests.value > 0 else { return }
        let name = Self.name(of: self.api)
        report.count(BrokerMetrics.requests, self.requests.value, [name])
        report.count(BrokerMetrics.requestBytes, self.requestBytes.value, [name])
        report.count(BrokerMetrics.responseBytes, self.responseBytes.value, [name])
        for (code, count) in self.errors.withLock({ $0 }) {
            report.count(BrokerMetrics.errors, count, [name, code.name])
        }
    }
}
