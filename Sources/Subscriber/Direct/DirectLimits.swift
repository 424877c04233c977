/// What publishers without a broker may take of a subscriber. docs/direct.md explains each; what goes beyond one is
/// counted under its name.
public struct DirectLimits: Sendable {
    /// The limits by name.
    public enum Name: String, CaseIterable, Sendable {
        case connections, recordBytes, lineBytes, pendingBytes
    }

    /// Connections at a time. One more is closed at once; its publisher tries again.
    public var connections = 1_000
    /// Of one record's text. The connection of a larger one is closed.
    public var recordBytes = 4 << 20
    /// Of one line outside of records. The connection of a longer one is closed.
    public var lineBytes = 64 << 10
    /// Of records and lines that are half arrived, of all connections. A connection that goes beyond and has more than its
    /// share is closed.
    public var pendingBytes = 64 << 20

    public init() {}
}
