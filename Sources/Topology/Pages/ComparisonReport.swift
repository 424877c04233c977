internal import FoundationEssentials

/// Writes a comparison into a directory: `index.html` for people, `comparison.json` for `--baseline` and for programs, and
/// a CSV file for each table.
public struct ComparisonReport: Sendable {
    private let comparison: Comparison
    private let stages: [Stage]
    private let tables: [QuestionTable]

    public init(_ comparison: Comparison, stages: [Stage], tables: [QuestionTable]) {
        self.comparison = comparison
        self.stages = stages
        self.tables = tables
    }

    /// Creates the directory where there is none; what is there by these names is replaced.
    public func write(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let page = try ComparisonPage(comparison, stages: stages, tables: tables).html()
        try Data(page.utf8).write(to: URL(filePath: "\(directory)/index.html"), options: .atomic)
        try Data(Self.json(comparison).utf8).write(to: URL(filePath: "\(directory)/comparison.json"), options: .atomic)
        for table in tables {
            try Data(table.csv.utf8).write(to: URL(filePath: "\(directory)/\(table.name).csv"), options: .atomic)
        }
    }

    /// All figures, with the tables made of them left out: they follow from these.
    public static func json(_ comparison: Comparison) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return String(decoding: try encoder.encode(comparison), as: UTF8.self)
    }
}

extension Comparison {
    /// Reads the JSON of an earlier comparison.
    ///
    /// - Throws: ``BaselineError``.
    public init(baseline path: String) throws(BaselineError) {
        guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path) }
        struct Version: Decodable { var format: Int }
        guard let version = try? JSONDecoder().decode(Version.self, from: data) else { throw .noComparison(path: path) }
        guard version.format == Comparison.currentFormat else {
            throw .otherFormat(path: path, version.format)
        }
        do {
            self = try JSONDecoder().decode(Comparison.self, from: data)
        } catch {
            throw .noComparison(path: path)
        }
    }
}

/// An earlier comparison that cannot be compared with.
public enum BaselineError: Error, Sendable, CustomStringConvertible {
    case unreadable(path: String)
    case noComparison(path: String)
    case otherFormat(path: String, Int)

    public var description: String {
        switch self {
        case .unreadable(let path): "cannot read \(path)"
        case .noComparison(let path): "\(path) is no comparison.json that 'weir compare --report' has written"
        case .otherFormat(let path, let format):
            "\(path) has format \(format), this version of weir compares with format \(Comparison.currentFormat)"
        }
    }
}
