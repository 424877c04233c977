/// Swift source under construction: lines with indentation, and comments wrapped to the line length.
///
/// Owned by one emitter and used on its thread only; it knows nothing of the protocol.
final class SourceText {
    static let lineLength = 120

    private(set) var text = ""
    private var depth = 0

    func line(_ content: String = "") {
        if !content.isEmpty {
            text += String(repeating: " ", count: 4 * depth)
            text += content
        }
        text += "\n"
    }

    /// `head {`, the lines that `body` writes one level deeper, and `tail`.
    func block(_ head: String, tail: String = "}", _ body: () -> Void) {
        line(head + " {")
        nested(body)
        line(tail)
    }

    /// The lines that `body` writes, one level deeper.
    func nested(_ body: () -> Void) {
        depth += 1
        body()
        depth -= 1
    }

    /// A call on one line, or with its arguments on lines of their own if that is too long.
    func call(_ start: String, _ arguments: [String]) {
        let single = start + arguments.joined(separator: ", ") + ")"
        if 4 * depth + single.count <= Self.lineLength { return line(single) }
        line(start)
        nested {
            var current = ""
            for (index, argument) in arguments.enumerated() {
                let isLast = index == arguments.count - 1
                let piece = argument + (isLast ? ")" : ",")
                if current.isEmpty {
                    current = piece
                } else if 4 * depth + current.count + 1 + piece.count <= Self.lineLength {
                    current += " " + piece
                } else {
                    line(current)
                    current = piece
                }
            }
            line(current)
        }
    }

    /// A comment of as many lines as it takes.
    func comment(_ prefix: String, _ words: String) {
        let width = Self.lineLength - 4 * depth
        var current = prefix
        for word in words.split(separator: " ") {
            if current.count + 1 + word.count > width, current != prefix {
                line(current)
                current = prefix
            }
            current += " " + word
        }
        line(current)
    }
}
