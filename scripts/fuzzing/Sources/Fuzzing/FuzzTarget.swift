/// One decoder under test. Used by libFuzzer's one thread only, so that its test may keep buffers between inputs.
public struct FuzzTarget: @unchecked Sendable {
    /// What people call it on the command line; also the folder of its seeds.
    public let name: String
    /// The longest input that is tried. Decoders show their branches on short ones, and short ones are fast.
    public let maximumBytes: Int
    /// Decodes, and traps where what comes out breaks a promise. The bytes live until it returns.
    public let test: (UnsafeRawBufferPointer) -> Void

    public init(_ name: String, maximumBytes: Int, _ test: @escaping (UnsafeRawBufferPointer) -> Void) {
        self.name = name
        self.maximumBytes = maximumBytes
        self.test = test
    }
}

/// Ends the program, whereupon libFuzzer saves the input, when a promise is broken.
@inline(__always)
public func promise(
    _ holds: @autoclosure () -> Bool, _ message: @autoclosure () -> String, file: StaticString = #file,
    line: UInt = #line
) {
    if !holds() { broken(message(), file: file, line: line) }
}

/// A broken promise.
public func broken(_ message: String, file: StaticString = #file, line: UInt = #line) -> Never {
    fatalError("broken promise: \(message)", file: file, line: line)
}
