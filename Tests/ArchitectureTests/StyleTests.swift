import Testing

@Suite("Style: what no reviewer should have to look for")
struct StyleTests {
    let sources: [Repository.File]

    init() throws {
        sources = try Repository.swiftFiles(under: "Sources")
    }

    @Test("no call that traps on what others send, and none that blocks a thread to wait")
    func bannedCalls() {
        let banned = ["try!", "as!", "fatalError", "Thread.sleep", "usleep("]
        for file in sources {
            let code = SwiftSource.code(in: file.text)
            for call in banned where code.contains(call) {
                Issue.record("\(file.path) contains \(call)")
            }
        }
    }

    @Test("no notes of things left to do")
    func notes() {
        for file in sources {
            for word in ["TODO", "FIXME", "XXX"] where file.text.contains(word) {
                Issue.record("\(file.path) contains \(word): do it, or open an issue")
            }
        }
    }

    @Test("no file or folder whose name says nothing")
    func names() throws {
        let banned = ["Util", "Utils", "Utilities", "Helper", "Helpers", "Common", "Manager", "Misc"]
        let files = try Repository.swiftFiles(under: "Sources") + Repository.swiftFiles(under: "Tests")
        for file in files {
            for component in file.components {
                let stem = component.hasSuffix(".swift") ? String(component.dropLast(6)) : component
                let parts = stem.split(separator: "+").map(String.init)
                for word in banned where parts.contains(where: { $0 == word || $0.hasSuffix(word) }) {
                    Issue.record("\(file.path): name it after what is in it instead of \(word)")
                }
            }
        }
    }

    @Test("no file of more than 600 lines, generated messages aside")
    func lengths() {
        for file in sources where !file.path.hasPrefix("Sources/KafkaProtocol/Messages/") {
            #expect(file.lines.count <= 601, "\(file.path) has \(file.lines.count) lines; split it by concern")
        }
    }

    @Test("every source file belongs to a target of Package.swift")
    func belonging() throws {
        let manifest = PackageManifest(parsing: try Repository.text("Package.swift"))
        let targets = Set(manifest.targets.map(\.name))
        for file in sources where !targets.contains(file.target) {
            Issue.record("\(file.path) is in no target")
        }
    }

    /// Files that need more of Foundation than FoundationEssentials has, each with its reason.
    private static let needsFoundation: [String: String] = [:]

    @Test("sources outside the command line import FoundationEssentials instead of all of Foundation")
    func foundation() {
        for file in sources where file.target != "weir" && Self.needsFoundation[file.path] == nil {
            guard SwiftSource.imports(in: file.text).contains("Foundation") else { continue }
            #expect(
                file.text.contains("#if canImport(FoundationEssentials)"),
                "\(file.path) imports Foundation, which makes every binary much larger")
        }
    }
}
