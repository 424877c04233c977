/// The number of a partition in its topic, from 0 on.
///
/// A value.
public struct PartitionIndex: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    public init(_ rawValue: Int32) {
        self.rawValue = rawValue
    }
}

extension PartitionIndex: Comparable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    public init(integerLiteral value: Int32) {
        self.init(value)
    }

    public static func < (a: PartitionIndex, b: PartitionIndex) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}
