/// The answer to one question about the stages: a row each, the best and the worst of a column marked, and a sentence on
/// what it means. A value; the terminal, the page, JSON and CSV show the same one.
public struct QuestionTable: Codable, Hashable, Sendable {
    /// Which of two numbers is to be preferred.
    public enum Preference: String, Codable, Sendable {
        case lower, higher, none
    }

    public enum Mark: String, Codable, Sendable {
        case best, worst
    }

    public struct Column: Codable, Hashable, Sendable {
        public var title: String
        public var preference: Preference

        public init(_ title: String, _ preference: Preference = .none) {
            self.title = title
            self.preference = preference
        }
    }

    public struct Cell: Codable, Hashable, Sendable {
        public var text: String
        /// What the text says, where it is a number.
        public var value: Double?
        public var mark: Mark?
    }

    public struct Row: Codable, Hashable, Sendable {
        public var name: String
        public var cells: [Cell]
    }

    /// Names it in files and links.
    public var name: String
    public var question: String
    public var meaning: String
    /// What the rows are, such as "stage".
    public var subject: String
    public var columns: [Column]
    public private(set) var rows: [Row] = []

    public init(_ name: String, _ question: String, subject: String = "stage", _ columns: [Column]) {
        self.name = name
        self.question = question
        self.subject = subject
        self.columns = columns
        meaning = ""
    }

    /// Adds a row; there is a cell for each column.
    public mutating func append(_ name: String, _ cells: [Cell]) {
        precondition(
            cells.count == columns.count, "the row has \(cells.count) cells, the table \(columns.count) columns")
        rows.append(Row(name: name, cells: cells))
    }

    /// Marks the best and the worst of each column, as they are shown: numbers that look the same are the same. A column
    /// where all are the same has neither.
    public mutating func markBestAndWorst() {
        for column in columns.indices {
            let shown = rows.compactMap { $0.cells[column].value == nil ? nil : $0.cells[column] }
            guard columns[column].preference != .none, Set(shown.map(\.text)).count > 1,
                let lowest = shown.min(by: { $0.value ?? 0 < $1.value ?? 0 })?.text,
                let highest = shown.max(by: { $0.value ?? 0 < $1.value ?? 0 })?.text
            else { continue }
            let isLowerBetter = columns[column].preference == .lower
            for row in rows.indices where rows[row].cells[column].value != nil {
                switch rows[row].cells[column].text {
                case lowest: rows[row].cells[column].mark = isLowerBetter ? .best : .worst
                case highest: rows[row].cells[column].mark = isLowerBetter ? .worst : .best
                default: break
                }
            }
        }
    }
}

extension QuestionTable.Cell {
    public static let none = QuestionTable.Cell(text: "–", value: nil, mark: nil)

    public static func text(_ text: String) -> Self { Self(text: text, value: nil, mark: nil) }

    /// A whole number, thousands set apart.
    public static func count(_ value: Int?) -> Self {
        guard let value else { return .none }
        return Self(text: FigureText.count(value), value: Double(value), mark: nil)
    }

    /// A number with as many digits as tell it apart.
    public static func number(_ value: Double?) -> Self {
        guard let value else { return .none }
        return Self(text: FigureText.number(value), value: value, mark: nil)
    }

    /// A part of a whole, from 0 to 1.
    public static func percent(_ value: Double?) -> Self {
        guard let value else { return .none }
        return Self(text: FigureText.number(value * 100) + " %", value: value, mark: nil)
    }

    public static func bytes(_ value: Int?) -> Self {
        guard let value else { return .none }
        return Self(text: "\(ByteCount(value))", value: Double(value), mark: nil)
    }

    /// Seconds; nil for what did not happen in time.
    public static func seconds(_ value: Double?) -> Self {
        guard let value else { return Self(text: "not in time", value: .infinity, mark: nil) }
        return Self(text: FigureText.number(value) + " s", value: value, mark: nil)
    }

    public static func milliseconds(_ value: Double?) -> Self {
        guard let value else { return .none }
        if value >= 10_000 { return Self(text: FigureText.number(value / 1000) + " s", value: value, mark: nil) }
        return Self(text: FigureText.number(value) + " ms", value: value, mark: nil)
    }
}

/// Numbers for people.
enum FigureText {
    /// `1 234 567`, set apart by narrow spaces that do not break.
    static func count(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text += "\u{202F}" }
            text.append(digit)
        }
        return value < 0 ? "−" + text : text
    }

    /// Three digits, or all of a larger number: `0.042`, `4.2`, `42`, `4 200`.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let magnitude = value.magnitude
        if magnitude == 0 { return "0" }
        if magnitude >= 99.5 { return count(Int(value.rounded())) }
        if magnitude >= 9.95 { return fixed(value, 1) }
        if magnitude >= 0.995 { return fixed(value, 2) }
        return magnitude < 0.0005 ? (value < 0 ? "−0.000" : "0.000") : fixed(value, 3)
    }

    private static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1
        for _ in 0..<digits { scale *= 10 }
        let scaled = Int((value.magnitude * Double(scale)).rounded())
        let fraction = String(String(scale + scaled % scale).dropFirst())
        return (value < 0 ? "−" : "") + "\(scaled / scale).\(fraction)"
    }
}
