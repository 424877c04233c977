/// The stages that come with the program, in the order of the evolution they show. Their texts are files of their own
/// beside this one, in the same YAML that people write: `weir compare --print-stage pubsub > mine.yaml` is a start.
public enum ShippedStages {
    /// A declaration as it was written.
    public struct Text: Sendable {
        public let name: String
        public let yaml: String
    }

    public static let texts: [Text] = [
        singleDirect, manyTypesDirect, directMesh, pubSub, multiPubSub, unified,
    ]

    public static var names: [String] { texts.map(\.name) }

    /// All of them, read.
    ///
    /// - Throws: ``StageError``, which would be a mistake of ours; a test reads them all.
    public static func all() throws(StageError) -> [Stage] {
        var stages: [Stage] = []
        for text in texts { stages.append(try Stage(parsing: text.yaml, path: text.name)) }
        return stages
    }

    /// One by its name, nil where there is none.
    public static func stage(named name: String) throws(StageError) -> Stage? {
        guard let text = texts.first(where: { $0.name == name }) else { return nil }
        return try Stage(parsing: text.yaml, path: text.name)
    }
}
