/// The place of a record in a log: how many records came before it since the log's beginning. A value.
///
/// Arithmetic saturates at the ends of `Int64`, because offsets arrive from peers and disks and must not trap.
public struct Offset: RawRepresentable, Hashable, Comparable, Sendable, ExpressibleByIntegerLiteral {
    public let rawValue: Int64

    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    public init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }

    public init(integerLiteral value: Int64) {
        self.rawValue = value
    }

    public static func < (left: Offset, right: Offset) -> Bool {
        left.rawValue < right.rawValue
    }

    /// The offset `distance` records later (earlier when negative).
    public func advanced(by distance: Int64) -> Offset {
        let (sum, overflow) = rawValue.addingReportingOverflow(distance)
        return Offset(overflow ? (distance < 0 ? .min : .max) : sum)
    }

    /// How many offsets lie from `right` (included) to `left` (excluded).
    public static func - (left: Offset, right: Offset) -> Int64 {
        let (difference, overflow) = left.rawValue.subtractingReportingOverflow(right.rawValue)
        return overflow ? (left < right ? .min : .max) : difference
    }
}

extension Offset: CustomStringConvertible {
    public var description: String { String(rawValue) }
}
