/// What a consumer gets of transactions: the `isolationLevel` of Fetch and ListOffsets (KIP-98).
public enum IsolationLevel: Int8, Hashable, Sendable, CaseIterable {
    case readUncommitted = 0
    /// Only up to the last stable offset, and without what was aborted.
    case readCommitted = 1
}
