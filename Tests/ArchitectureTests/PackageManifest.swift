/// The targets of Package.swift, read from its text: asking SwiftPM would start a build inside of a test.
struct PackageManifest {
    struct Target: Equatable {
        enum Kind: String {
            case target, executableTarget, testTarget, systemLibrary
        }

        var kind: Kind
        var name: String
        /// The dependencies on targets of our own, which stand as strings; products stand as `.name`.
        var dependencies: [String]
    }

    var targets: [Target]

    init(parsing text: String) {
        let pattern = /\.(target|executableTarget|testTarget|systemLibrary)\(/
        targets = text.matches(of: pattern).compactMap { match in
            guard let kind = Target.Kind(rawValue: String(match.1)) else { return nil }
            let body = Self.balanced(text[match.range.upperBound...], open: "(", close: ")")
            guard let name = body.firstMatch(of: /^\s*name: "(\w+)"/) else { return nil }
            return Target(kind: kind, name: String(name.1), dependencies: Self.dependencies(in: body))
        }
    }

    private static func dependencies(in body: Substring) -> [String] {
        guard let start = body.firstMatch(of: /dependencies: \[/) else { return [] }
        let list = balanced(body[start.range.upperBound...], open: "[", close: "]")
        return list.matches(of: /"(\w+)"/).map { String($0.1) }
    }

    /// The text up to the bracket that closes the one before it.
    private static func balanced(_ text: Substring, open: Character, close: Character) -> Substring {
        var depth = 1
        for index in text.indices {
            if text[index] == open { depth += 1 }
            if text[index] == close { depth -= 1 }
            if depth == 0 { return text[..<index] }
        }
        return text
    }
}
