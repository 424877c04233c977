/// One of Kafka's error codes, or a number that is none we know: peers may be newer.
///
/// A value. The codes, with names and meanings, are generated in `ErrorCode+Codes.swift`.
public struct ErrorCode: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int16

    public init(rawValue: Int16) {
        self.rawValue = rawValue
    }

    /// Kafka's name, `UNKNOWN_TOPIC_OR_PARTITION`; `ERROR_4711` for a number we do not know.
    public var name: String { definition?.name ?? "ERROR_\(rawValue)" }

    /// Whether the same request may succeed later, perhaps after asking for the metadata or coordinator again.
    public var isRetriable: Bool { definition?.isRetriable ?? false }

    /// What it means, in words for a person.
    public var text: String { definition?.text ?? "an error this version of weir does not know" }

    /// What is known of one code.
    struct Definition {
        var name: String
        var isRetriable: Bool
        var text: String

        init(_ name: String, retriable: Bool = false, _ text: String) {
            self.name = name
            self.isRetriable = retriable
            self.text = text
        }
    }
}

extension ErrorCode: CustomStringConvertible {
    /// `NOT_COORDINATOR (16): this broker does not coordinate the group`
    public var description: String { "\(name) (\(rawValue)): \(text)" }
}
