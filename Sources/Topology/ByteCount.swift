/// A number of bytes in words: `812 B`, `1.4 MiB`.
public struct ByteCount: CustomStringConvertible, Sendable {
    private let bytes: Int

    public init(_ bytes: Int) { self.bytes = bytes }

    public var description: String {
        guard bytes >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        var units = ["KiB", "MiB", "GiB", "TiB"][...]
        while value >= 1024, units.count > 1 {
            value /= 1024
            units.removeFirst()
        }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(units.first ?? "")"
    }
}
