/// How the records of a batch are compressed: the three lowest bits of the batch's attributes.
public enum CompressionCodec: UInt8, Hashable, Sendable, CaseIterable, CustomStringConvertible {
    case none = 0
    case gzip = 1
    case snappy = 2
    case lz4 = 3
    case zstd = 4

    /// The codec called `name` in Kafka's settings (`none`, `gzip`, `snappy`, `lz4`, `zstd`).
    public init?(name: some StringProtocol) {
        guard let codec = Self.allCases.first(where: { $0.description == name }) else { return nil }
        self = codec
    }

    /// Kafka's name for the codec.
    public var description: String {
        switch self {
        case .none: "none"
        case .gzip: "gzip"
        case .snappy: "snappy"
        case .lz4: "lz4"
        case .zstd: "zstd"
        }
    }
}
