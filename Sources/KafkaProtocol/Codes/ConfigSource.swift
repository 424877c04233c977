/// Where a setting's value comes from: the `configSource` of DescribeConfigs (KIP-226).
public enum ConfigSource: Int8, Hashable, Sendable, CaseIterable {
    case unknown = 0
    case topic = 1
    /// Set for one broker while it runs.
    case dynamicBroker = 2
    /// Set for all brokers while they run.
    case dynamicDefaultBroker = 3
    /// From the broker's settings file or command line.
    case staticBroker = 4
    case defaultValue = 5
    case dynamicBrokerLogger = 6
}
