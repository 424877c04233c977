public import NIOCore

/// How transactions behave; part of `BrokerConfiguration`. The names and defaults are Kafka's.
public struct TransactionSettings: Sendable {
    /// The longest a producer may ask a transaction to stay open without an end; longer is answered
    /// INVALID_TRANSACTION_TIMEOUT (`transaction.max.timeout.ms`).
    public var maximumTimeout: TimeAmount
    /// A transactional id that was not used for this long is forgotten (`transactional.id.expiration.ms`).
    public var idExpiration: TimeAmount
    /// Partitions forget a producer that they have not heard of for this long (`producer.id.expiration.ms`).
    public var producerExpiration: TimeAmount
    /// Partitions of `__transaction_state` when it is created. One is enough for one broker: all transactions share one log
    /// and so one sync.
    public var topicPartitions: Int
    /// Between two looks for transactions whose time is up.
    public var checkInterval: TimeAmount

    public init(
        maximumTimeout: TimeAmount = .minutes(15), idExpiration: TimeAmount = .hours(7 * 24),
        producerExpiration: TimeAmount = .hours(24), topicPartitions: Int = 1, checkInterval: TimeAmount = .seconds(1)
    ) {
        self.maximumTimeout = maximumTimeout
        self.idExpiration = idExpiration
        self.producerExpiration = producerExpiration
        self.topicPartitions = topicPartitions
        self.checkInterval = checkInterval
    }
}
