/// How a ``TransactionalProducer`` works.
public struct TransactionConfiguration: Sendable {
    /// How long a transaction may stay open before the coordinator aborts it and fences the producer. Brokers allow 15
    /// minutes unless configured otherwise.
    public var timeout: Duration
    /// How records are gathered and sent. `acks` and `idempotent` are what transactions need, whatever it says; without
    /// a `deliveryTimeout` a record waits as long as the transaction may stay open.
    public var producer: ProducerConfiguration

    public init(timeout: Duration = .seconds(60), producer: ProducerConfiguration = ProducerConfiguration()) {
        self.timeout = timeout
        self.producer = producer
    }

    var sending: ProducerConfiguration {
        var configuration = producer
        configuration.acks = .all
        configuration.idempotent = true
        configuration.deliveryTimeout = producer.deliveryTimeout ?? timeout
        return configuration
    }
}
