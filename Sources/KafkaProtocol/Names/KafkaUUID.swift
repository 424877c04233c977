/// Kafka's 16-byte id of a topic.
///
/// A value. Its text is Kafka's: base64 with `-` and `_`, without padding (22 characters).
public struct KafkaUUID: Hashable, Sendable {
    public var high: UInt64
    public var low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Stands for "no id".
    public static var zero: KafkaUUID { KafkaUUID(high: 0, low: 0) }

    /// A random (version 4) id.
    public static func random(using generator: inout some RandomNumberGenerator) -> KafkaUUID {
        let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x0000_0000_0000_4000
        let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        return KafkaUUID(high: high, low: low)
    }

    /// A random (version 4) id.
    public static func random() -> KafkaUUID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }
}

/// The id of a topic, which unlike its name is never used again.
public typealias TopicID = KafkaUUID

extension KafkaUUID: CustomStringConvertible, LosslessStringConvertible {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let textLength = 22

    /// The six bits at `index` of the 22 that make the text; the last has two bits of the id and four zeros.
    private func sextet(_ index: Int) -> Int {
        let end = 128 - 6 * (index + 1)
        if end < 0 { return Int(low & 0x3) << 4 }
        if end >= 64 { return Int(high >> UInt64(end - 64) & 0x3F) }
        let fromHigh = end + 6 > 64 ? high << UInt64(64 - end) : 0
        return Int((low >> UInt64(end) | fromHigh) & 0x3F)
    }

    public var description: String {
        let characters = (0..<Self.textLength).map { Self.alphabet[sextet($0)] }
        return String(decoding: characters, as: UTF8.self)
    }

    /// The id with this text; nil if it is none.
    public init?(_ description: String) {
        let characters = Array(description.utf8)
        guard characters.count == Self.textLength else { return nil }
        var high: UInt64 = 0
        var low: UInt64 = 0
        for (index, character) in characters.enumerated() {
            guard let sextet = Self.alphabet.firstIndex(of: character) else { return nil }
            let isLast = index == Self.textLength - 1
            if isLast, sextet & 0xF != 0 { return nil }
            let width = UInt64(isLast ? 2 : 6)
            high = high << width | low >> (64 - width)
            low = low << width | UInt64(isLast ? sextet >> 4 : sextet)
        }
        self.init(high: high, low: low)
    }
}
