extension UnsafeRawBufferPointer {
    /// The big-endian integer at `index`. The caller has checked that its bytes are there.
    @inline(__always)
    func bigEndian<Value: FixedWidthInteger>(at index: Int) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: index, as: Value.self))
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes an integer big-endian at `index`. The caller has made room.
    @inline(__always)
    func setBigEndian<Value: FixedWidthInteger>(_ value: Value, at index: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: index, as: Value.self)
    }
}
