internal import NIOCore
internal import RecordBatch

// The one record of a control batch that ends a transaction (KIP-98). Big-endian.
//
//      key:    version Int16 (0) | type Int16 (0 abort, 1 commit)
//      value:  version Int16 (0) | coordinator epoch Int32

/// What a transaction's marker says. A value.
struct TransactionMarker: Hashable, Sendable {
    let isCommit: Bool
    let coordinatorEpoch: Int32

    private static let abortType: Int16 = 0
    private static let commitType: Int16 = 1

    /// - Returns: nil for control batches that end no transaction, and for such as compaction has left without the record.
    init?(_ batch: EncodedBatch) throws(RecordBatchError) {
        guard let record = try batch.records().first, var key = record.key,
            let (_, type) = key.readMultipleIntegers(as: (Int16, Int16).self),
            type == Self.abortType || type == Self.commitType
        else { return nil }
        isCommit = type == Self.commitType
        var value = record.value ?? ByteBuffer()
        coordinatorEpoch = value.readMultipleIntegers(as: (Int16, Int32).self)?.1 ?? -1
    }
}
