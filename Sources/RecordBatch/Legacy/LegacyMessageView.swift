/// One message taken out of its wrappers, for code that must not allocate per message. Valid only within the call that
/// `LegacyMessageSet.forEachMessage` makes with it: copy out what has to live longer.
public struct LegacyMessageView {
    public let format: LegacyMessageFormat
    /// Absolute, as far as the message set tells: a producer's offsets are its own count.
    public let offset: Offset
    /// Milliseconds since the epoch; -1 in format 0, or when the producer gave none.
    public let timestamp: Int64
    /// Whether the timestamp is the append time of the log that the message comes from.
    public let isLogAppendTime: Bool
    public let key: UnsafeRawBufferPointer?
    public let value: UnsafeRawBufferPointer?
}
