/// All that is wrong with a declaration of a stage, line by line.
public struct StageError: Error, Hashable, Sendable {
    public struct Problem: Hashable, Sendable {
        /// Counted from 1; nil when it is about the whole file.
        public let line: Int?
        public let message: String
    }

    public let path: String
    public let problems: [Problem]

    init(path: String, problems: [Problem]) {
        self.path = path
        self.problems = problems.sorted { ($0.line ?? 0) < ($1.line ?? 0) }
    }

    init(path: String, line: Int?, _ message: String) {
        self.init(path: path, problems: [Problem(line: line, message: message)])
    }
}

extension StageError: CustomStringConvertible {
    /// `path:line: message`, one after another, as compilers write them.
    public var description: String {
        problems.map { problem in
            "\(path)\(problem.line.map { ":\($0)" } ?? ""): \(problem.message)"
        }.joined(separator: "\n")
    }
}
