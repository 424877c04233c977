/// The name of a topic: 1 to 249 of the characters `a`-`z`, `A`-`Z`, `0`-`9`, `.`, `_` and `-`, but neither `.` nor `..`.
/// So it is always fit to be part of a directory's name.
///
/// A value.
public struct TopicName: Hashable, Sendable {
    public static let maximumBytes = 249

    public let rawValue: String

    public init(_ name: String) throws(InvalidTopicName) {
        if name.isEmpty { throw InvalidTopicName(name: name, reason: .empty) }
        if name.utf8.count > Self.maximumBytes {
            throw InvalidTopicName(name: name, reason: .tooLong(name.utf8.count))
        }
        if name == "." || name == ".." { throw InvalidTopicName(name: name, reason: .dots) }
        for character in name.unicodeScalars where !Self.isAllowed(character) {
            throw InvalidTopicName(name: name, reason: .character(character))
        }
        rawValue = name
    }

    private static func isAllowed(_ character: Unicode.Scalar) -> Bool {
        switch character {
        case "a"..."z", "A"..."Z", "0"..."9", ".", "_", "-": true
        default: false
        }
    }
}

extension TopicName: Comparable, CustomStringConvertible {
    public static func < (a: TopicName, b: TopicName) -> Bool { a.rawValue < b.rawValue }

    public var description: String { rawValue }
}

/// Why a text is not the name of a topic.
public struct InvalidTopicName: Error, Hashable, Sendable {
    public enum Reason: Hashable, Sendable {
        case empty
        case tooLong(Int)
        case dots
        case character(Unicode.Scalar)
    }

    public var name: String
    public var reason: Reason
}

extension InvalidTopicName: CustomStringConvertible {
    public var description: String {
        switch reason {
        case .empty:
            return "the topic name is empty"
        case .tooLong(let length):
            let start = String(name.prefix(32))
            return "topic name '\(start)…' has \(length) bytes; at most \(TopicName.maximumBytes) are allowed"
        case .dots:
            return "topic name '\(name)' is not allowed; choose one that is not just dots"
        case .character(let character):
            let shown = character.isASCII && character.value >= 0x20 ? "'\(character)'" : "U+\(hex(character))"
            return
                "topic name \(String(reflecting: name)) contains \(shown); use letters, digits, '.', '_' and '-' only"
        }
    }

    private func hex(_ character: Unicode.Scalar) -> String {
        let digits = String(character.value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
