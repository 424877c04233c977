#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The folder of generated files: writes what differs and removes what has no schema any more.
struct OutputFolder {
    var path: String

    /// Makes the folder hold exactly `files`, and tells what it did. Files without the generator's mark are left alone.
    func update(to files: [GeneratedFile]) throws -> [String] {
        let manager = FileManager.default
        try manager.createDirectory(atPath: path, withIntermediateDirectories: true)
        var changes: [String] = []
        for file in files where try contents(of: file.name) != file.text {
            try Data(file.text.utf8).write(to: URL(filePath: "\(path)/\(file.name)"), options: .atomic)
            changes.append("wrote \(file.name)")
        }
        let expected = Set(files.map(\.name))
        for name in try manager.contentsOfDirectory(atPath: path).sorted() where !expected.contains(name) {
            guard let text = try contents(of: name), text.hasPrefix(Generator.marker) else { continue }
            try manager.removeItem(atPath: "\(path)/\(name)")
            changes.append("removed \(name)")
        }
        return changes
    }

    /// The text of a file; nil if it does not exist.
    func contents(of name: String) throws -> String? {
        let file = "\(path)/\(name)"
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        return String(decoding: try Data(contentsOf: URL(filePath: file)), as: UTF8.self)
    }
}
