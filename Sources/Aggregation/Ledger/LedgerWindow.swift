public import MetricModel

/// What a rule knows of one of its windows. Also the row by which a store keeps it: all of it has to come back.
public struct LedgerWindow: Hashable, Sendable {
    public let start: Timestamp
    /// 0 until a result was emitted, then counted from 1.
    public internal(set) var revision: Int
    /// Of the last result; 0 before there was one.
    public internal(set) var digest: UInt64
    /// Whether it was evaluated at least once. Others are open, or about to be.
    public internal(set) var isClosed: Bool
    /// Whether samples came that its last result does not have.
    public internal(set) var isDirty: Bool
    /// Whether a part of its revision may have been emitted, and the rest not: a large result is stored in several
    /// transactions. It is dirty, then, and its next result is emitted whatever it is.
    public internal(set) var isPartial: Bool

    /// A window that was stored.
    public init(
        start: Timestamp, revision: Int, digest: UInt64, isClosed: Bool, isDirty: Bool, isPartial: Bool = false
    ) {
        self.start = start
        self.revision = revision
        self.digest = digest
        self.isClosed = isClosed
        self.isDirty = isDirty
        self.isPartial = isPartial
    }
}

/// A window that has to be evaluated now.
public struct DueWindow: Hashable, Sendable {
    public let window: Window
    /// Nil at the first evaluation, else the revision emitted last (0: its result was empty).
    public let previousRevision: Int?
    /// How many times samples had come when it was handed out: those that come meanwhile keep it dirty.
    let changes: UInt32
}
