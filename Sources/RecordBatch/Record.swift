public import NIOCore

/// One header of a record: a name and bytes that may be absent.
public struct RecordHeader: Hashable, Sendable {
    public var key: String
    public var value: ByteBuffer?

    public init(key: String, value: ByteBuffer?) {
        self.key = key
        self.value = value
    }
}

/// One record, with its absolute offset and timestamp. Key, value and header values are slices of the batch they
/// were decoded from and keep its memory alive.
public struct Record: Hashable, Sendable {
    public var offset: Offset
    /// Milliseconds since the epoch; -1 when the producer gave none.
    public var timestamp: Int64
    public var key: ByteBuffer?
    public var value: ByteBuffer?
    public var headers: [RecordHeader]

    public init(offset: Offset, timestamp: Int64, key: ByteBuffer?, value: ByteBuffer?, headers: [RecordHeader] = []) {
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
    }
}
