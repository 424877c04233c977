/// How a ``Cluster`` is reached.
public struct ClientConfiguration: Sendable {
    /// The brokers asked first; any one of them that answers is enough. Must not be empty.
    public var bootstrap: [BrokerAddress]
    /// Sent with each request, shown in the broker's logs and quotas.
    public var clientID: String
    /// How long a TCP connection may take to come up.
    public var connectTimeout: Duration
    /// How long a broker may take to answer. Requests that wait on purpose (a long-poll fetch, a join) get their
    /// own wait on top. A connection with an unanswered request is closed, as later answers would queue behind it.
    public var requestTimeout: Duration
    /// Metadata older than this is asked for again before it is used.
    public var metadataMaxAge: Duration
    /// The first and the longest pause between attempts. Pauses double, with a jitter of ±20 %.
    public var retryBackoff: ClosedRange<Duration>
    /// A longer answer is taken for something that is no Kafka broker, and the connection closed.
    public var maximumResponseBytes: Int
    /// Counts what the connections carry; clusters may share one.
    public var traffic = ConnectionTraffic()

    public init(
        bootstrap: [BrokerAddress], clientID: String = "weir", connectTimeout: Duration = .seconds(10),
        requestTimeout: Duration = .seconds(30), metadataMaxAge: Duration = .seconds(300),
        retryBackoff: ClosedRange<Duration> = .milliseconds(100)...(.seconds(1)),
        maximumResponseBytes: Int = 256 << 20
    ) {
        self.bootstrap = bootstrap
        self.clientID = clientID
        self.connectTimeout = connectTimeout
        self.requestTimeout = requestTimeout
        self.metadataMaxAge = metadataMaxAge
        self.retryBackoff = retryBackoff
        self.maximumResponseBytes = maximumResponseBytes
    }
}
