internal import FoundationEssentials
internal import Yams

extension Stage {
    /// Reads a declaration from a file.
    ///
    /// - Throws: ``StageError`` with everything that is wrong with it.
    public init(path: String) throws(StageError) {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            let isMissing = (error as? CocoaError)?.code == .fileReadNoSuchFile
            throw StageError(
                path: path, line: nil, isMissing ? "there is no such file" : "the file cannot be read: \(error)")
        }
        try self.init(parsing: text, path: path)
    }

    /// Reads a declaration's text; `path` is what messages call it.
    public init(parsing text: String, path: String) throws(StageError) {
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw StageError(path: path, line: nil, "this is no valid YAML: \(error)")
        }
        guard let root else {
            throw StageError(path: path, line: nil, "there is nothing in it; see docs/topologies.md")
        }
        var reader = StageReader()
        let stage = reader.read(root)
        guard let stage, reader.problems.isEmpty else { throw StageError(path: path, problems: reader.problems) }
        self = stage
    }
}
