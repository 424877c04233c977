/// What the record in a control batch does: the `type` of `ControlRecordKey` (KIP-98).
public enum ControlRecordType: Int16, Hashable, Sendable, CaseIterable {
    case abort = 0
    case commit = 1
}
