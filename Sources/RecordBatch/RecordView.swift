/// One record as it lies in its batch, for code that must not allocate per record. Valid only within the call that
/// `EncodedBatch.forEachRecord` makes with it: copy out what has to live longer.
public struct RecordView {
    public let offset: Offset
    /// Milliseconds since the epoch; -1 when the producer gave none.
    public let timestamp: Int64
    public let key: UnsafeRawBufferPointer?
    public let value: UnsafeRawBufferPointer?
    public let headers: RecordHeaderViews
}

/// One header as it lies in its record; valid as long as its `RecordView`.
public struct RecordHeaderView {
    public let key: UnsafeRawBufferPointer
    public let value: UnsafeRawBufferPointer?
}

/// The headers of a `RecordView`, in their order; already checked.
public struct RecordHeaderViews: Sequence {
    public let count: Int
    let bytes: UnsafeRawBufferPointer

    public struct Iterator: IteratorProtocol {
        var remaining: Int
        var cursor: ByteCursor

        public mutating func next() -> RecordHeaderView? {
            // The walk that made this view has read these fields before, so reading cannot fail.
            guard remaining > 0, let key = try? cursor.bytes() else { return nil }
            remaining -= 1
            return RecordHeaderView(key: key, value: (try? cursor.nullableBytes()) ?? nil)
        }
    }

    public var underestimatedCount: Int { count }

    public func makeIterator() -> Iterator {
        Iterator(remaining: bytes.baseAddress == nil ? 0 : count, cursor: ByteCursor(bytes))
    }

    /// The first header called `key`.
    public func first(named key: StaticString) -> RecordHeaderView? {
        let name = UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        return first { $0.key.elementsEqual(name) }
    }
}
