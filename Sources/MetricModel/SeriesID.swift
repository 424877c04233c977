/// The number under which a store knows a series; it means nothing outside that store.
public struct SeriesID: RawRepresentable, Hashable, Sendable {
    public var rawValue: Int64

    public init(rawValue: Int64) {
        self.rawValue = rawValue
    }

    public init(_ rawValue: Int64) {
        self.rawValue = rawValue
    }
}

extension SeriesID: Comparable {
    public static func < (left: SeriesID, right: SeriesID) -> Bool {
        left.rawValue < right.rawValue
    }
}

extension SeriesID: CustomStringConvertible {
    public var description: String { String(rawValue) }
}
