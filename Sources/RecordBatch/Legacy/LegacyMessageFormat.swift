/// A record format older than record batches.
public enum LegacyMessageFormat: Int8, Hashable, Sendable, CaseIterable {
    /// Kafka 0.8 and 0.9: no timestamps.
    case v0 = 0
    /// Kafka 0.10: with timestamps.
    case v1 = 1

    /// Bytes of the smallest message, counted as its size field counts: without offset and size.
    var minimumSize: Int {
        switch self {
        case .v0: 14
        case .v1: 22
        }
    }
}
