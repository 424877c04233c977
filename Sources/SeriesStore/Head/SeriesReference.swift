/// The number a writer's process gives a series when it first sees it: dense, from 0, valid until the writer is
/// closed. The database knows the series by its `SeriesID`, which the writer finds once, when it first commits
/// the series; so decoding never waits for the database.
public struct SeriesReference: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }
}
