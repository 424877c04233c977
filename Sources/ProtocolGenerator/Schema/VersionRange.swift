/// The versions of a message in which something holds, in the notation of Kafka's own schemas:
/// `"3+"`, `"0-7"`, `"2"`.
///
/// A value; an ill-formed literal is a mistake in our schema and stops the generator.
struct VersionRange: Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    var first: Int
    var last: Int

    /// Stands for "and every later version".
    static let open = Int(Int16.max)
    static let all = VersionRange(0, open)

    init(_ first: Int, _ last: Int) {
        precondition(first <= last, "a version range runs upwards")
        self.first = first
        self.last = last
    }

    init(stringLiteral text: String) {
        if text.hasSuffix("+"), let first = Int(text.dropLast()) {
            self.init(first, Self.open)
            return
        }
        let ends = text.split(separator: "-").map { Int($0) }
        switch ends.count {
        case 1:
            guard let only = ends[0] else { preconditionFailure("not a version range: \(text)") }
            self.init(only, only)
        case 2:
            guard let first = ends[0], let last = ends[1] else { preconditionFailure("not a version range: \(text)") }
            self.init(first, last)
        default:
            preconditionFailure("not a version range: \(text)")
        }
    }

    func contains(_ version: Int) -> Bool { version >= first && version <= last }

    func covers(_ other: VersionRange) -> Bool { first <= other.first && last >= other.last }

    func intersection(_ other: VersionRange) -> VersionRange? {
        let first = max(self.first, other.first)
        let last = min(self.last, other.last)
        return first <= last ? VersionRange(first, last) : nil
    }

    var description: String {
        if last == Self.open { return "\(first)+" }
        return first == last ? "\(first)" : "\(first)-\(last)"
    }
}
