/// What a setting's value is: the `configType` of DescribeConfigs (KIP-569).
public enum ConfigType: Int8, Hashable, Sendable, CaseIterable {
    case unknown = 0
    case boolean = 1
    case string = 2
    case int = 3
    case short = 4
    case long = 5
    case double = 6
    case list = 7
    case `class` = 8
    case password = 9
}
