/// What has settings: the `resourceType` of DescribeConfigs, AlterConfigs and IncrementalAlterConfigs.
public enum ConfigResourceType: Int8, Hashable, Sendable, CaseIterable {
    case topic = 2
    /// The resource's name is the broker's id; empty stands for the defaults of all brokers.
    case broker = 4
    /// The log levels of a broker.
    case brokerLogger = 8
}
