/// What IncrementalAlterConfigs does to a setting: its `configOperation` (KIP-339).
public enum ConfigOperation: Int8, Hashable, Sendable, CaseIterable {
    case set = 0
    /// Goes back to the default; the value is not looked at.
    case delete = 1
    /// Adds to a setting that is a list.
    case append = 2
    /// Takes from a setting that is a list.
    case subtract = 3
}
