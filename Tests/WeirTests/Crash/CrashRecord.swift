import NIOCore
import RecordBatch

/// A record of the crash tests: its value can be made again from its source and number alone, so that whatever comes
/// back from the broker is either exactly what was sent, or damaged.
struct CrashRecord: Hashable, Sendable {
    /// Who sent it.
    let source: String
    let number: Int

    private static let sizes = 20...2_000

    var value: String {
        let head = "\(source) \(number) "
        var random = FixedSequence(state: UInt64(number) &* 0x9E37_79B9 &+ UInt64(source.utf8.count))
        let size = Self.sizes.lowerBound + Int(random.next() % UInt64(Self.sizes.count))
        var text = head
        while text.utf8.count < size { text += String(random.next(), radix: 36) }
        return text
    }

    init(source: String, number: Int) {
        self.source = source
        self.number = number
    }

    /// - Returns: nil if these are not exactly the bytes of one.
    init?(_ value: ByteBuffer?) {
        guard let value else { return nil }
        let text = String(buffer: value)
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let number = Int(words[1]) else { return nil }
        self.init(source: String(words[0]), number: number)
        guard self.value == text else { return nil }
    }

    private struct FixedSequence {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state >> 16
        }
    }
}
