extension QuestionTable {
    /// The table for a terminal: the question, the rows, and what it means.
    ///
    /// - Parameter isColored: the best green and the worst red, beside their marks.
    public func text(isColored: Bool) -> String {
        var table = TextTable([(subject, .left)] + columns.map { ($0.title, .right) })
        for row in rows { table.append([row.name] + row.cells.map(Self.text)) }
        var body = table.text
        if isColored {
            body = Self.colored(body, "▲", code: 32)
            body = Self.colored(body, "▼", code: 31)
        }
        let title = isColored ? "\u{1B}[1m\(question)\u{1B}[0m" : question
        let wrapped = meaning.isEmpty ? "" : "\n\n" + Self.wrapped(meaning, width: 100)
        return "\(title)\n\n\(body)\(wrapped)"
    }

    private static func text(_ cell: Cell) -> String {
        switch cell.mark {
        case .best: "▲ \(cell.text)"
        case .worst: "▼ \(cell.text)"
        case nil: cell.text
        }
    }

    /// Colors a mark and the number behind it, which ends at two spaces or the line's end.
    private static func colored(_ text: String, _ mark: Character, code: Int) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            var result = ""
            var rest: Substring = line
            while let start = rest.firstIndex(of: mark) {
                result += rest[..<start]
                let marked = rest[start...]
                let end = marked.firstRange(of: "  ")?.lowerBound ?? marked.endIndex
                result += "\u{1B}[\(code)m\(String(marked[..<end]))\u{1B}[0m"
                rest = marked[end...]
            }
            return result + rest
        }.joined(separator: "\n")
    }

    private static func wrapped(_ text: String, width: Int) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].isEmpty {
                lines[lines.count - 1] = String(word)
            } else if lines[lines.count - 1].count + 1 + word.count <= width {
                lines[lines.count - 1] += " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.joined(separator: "\n")
    }

    /// The table with commas between its cells: numbers as they were measured, not as they are shown.
    public var csv: String {
        let header = [subject] + columns.map(\.title)
        let lines = rows.map { row in
            [row.name]
                + row.cells.map { cell in
                    cell.value.map { $0 == $0.rounded() && $0.magnitude < 1e15 ? "\(Int($0))" : "\($0)" }
                        ?? (cell.text == "–" ? "" : cell.text)
                }
        }
        return ([header] + lines).map { $0.map(Self.quoted).joined(separator: ",") }.joined(separator: "\n") + "\n"
    }

    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.contains { $0 == "," || $0 == "\"" || $0 == "\n" }
        return needsQuotes
            ? "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
            : text
    }
}
