import Foundation

/// The checkout that these tests were compiled from.
enum Repository {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A file of the checkout, with its path from the root.
    struct File {
        var path: String
        var text: String

        var components: [String] { path.split(separator: "/").map(String.init) }
        var name: String { components.last ?? path }
        /// The folder under `Sources`: the target.
        var target: String { components.count > 2 ? components[1] : "" }
        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
    }

    /// All Swift files under a folder, sorted.
    static func swiftFiles(under folder: String) throws -> [File] {
        try paths(under: folder).filter { $0.hasSuffix(".swift") }.map { File(path: $0, text: try text($0)) }
    }

    /// All files under a folder, sorted; hidden ones are left out.
    static func paths(under folder: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
        return try names.filter { !$0.hasPrefix(".") }.sorted().flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder)
            return isFolder.boolValue ? try paths(under: path) : [path]
        }
    }
}
