/// Why a head can no longer be stored: another process that writes to the database has come before. What the head was
/// made from has to be read again, from where the database says.
public enum Supersession: Hashable, Sendable {
    /// The partition is stored up to somewhere else than where the head begins.
    case position(SourcePartition, expected: SourcePosition?, stored: SourcePosition?)
    /// Records of an agent that the head counts as new are stored; another copy of them was read.
    case sequences(AgentStream, ClosedRange<Int64>)
    /// This process was silent for so long that it no longer knows which series there are: all series references are
    /// void, and series have to be defined anew.
    case series
}

extension Supersession: CustomStringConvertible {
    public var description: String {
        switch self {
        case .position(let source, let expected, let stored):
            """
            \(source) was to be continued from \(expected.map(\.description) ?? "its beginning"), and is stored up to \
            \(stored.map(\.description) ?? "its beginning")
            """
        case .sequences(let stream, let range):
            "the records \(range.lowerBound) to \(range.upperBound) of \(stream) are stored already"
        case .series:
            "this process was silent for so long that it does not know which series were removed meanwhile"
        }
    }
}
