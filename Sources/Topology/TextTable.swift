/// A table for people: columns as wide as their widest cell, numbers to the right, a rule under the header.
public struct TextTable: Sendable {
    /// Where a column's cells stand.
    public enum Alignment: Sendable { case left, right }

    private let header: [String]
    private let alignments: [Alignment]
    private var rows: [[String]] = []

    /// - Parameter columns: each column's title and the side its cells stand on.
    public init(_ columns: [(title: String, alignment: Alignment)]) {
        header = columns.map(\.title)
        alignments = columns.map(\.alignment)
    }

    /// Adds a row; cells missing at its end are empty.
    public mutating func append(_ cells: [String]) {
        rows.append(cells + Array(repeating: "", count: max(0, header.count - cells.count)))
    }

    public var isEmpty: Bool { rows.isEmpty }

    /// The lines of the table, without a newline at the end.
    public var text: String {
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        let lines =
            [line(header, widths), widths.map { String(repeating: "─", count: $0) }.joined(separator: "  ")]
            + rows.map { line($0, widths) }
        return lines.joined(separator: "\n")
    }

    private func line(_ cells: [String], _ widths: [Int]) -> String {
        var text = ""
        for column in header.indices {
            let padding = String(repeating: " ", count: widths[column] - cells[column].count)
            text += alignments[column] == .right ? padding + cells[column] : cells[column] + padding
            if column < header.count - 1 { text += "  " }
        }
        while text.last == " " { text.removeLast() }
        return text
    }
}
