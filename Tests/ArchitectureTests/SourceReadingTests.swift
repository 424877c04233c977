import Testing

@Suite("Reading Swift source and Package.swift")
struct SourceReadingTests {
    @Test("imports are found whatever stands before them")
    func imports() {
        let text = """
            // import Commented
            import Plain
            public import Public
            @testable import Testable
            @preconcurrency internal import struct Module.Type
            let text = "import InString"
            """
        #expect(SwiftSource.imports(in: text) == ["Plain", "Public", "Testable", "Module"])
    }

    @Test("code is what is neither comment nor string")
    func code() {
        let text = #"let a = "try! \" //" // try!"# + "\n" + "/* as! /* nested */ fatalError */ let b = 1"
        #expect(SwiftSource.code(in: text) == "let a = \"\" \n let b = 1")
    }

    @Test("targets and their dependencies on each other are found")
    func manifest() {
        let text = """
            .systemLibrary(name: "CZ", providers: [.apt(["z"])]),
            .target(name: "A", swiftSettings: strict),
            .target(
                name: "B", dependencies: ["A", .nioCore,
                "CZ"], swiftSettings: strict),
            .testTarget(name: "BTests", dependencies: ["B"], exclude: ["Fixtures"]),
            """
        #expect(
            PackageManifest(parsing: text).targets == [
                .init(kind: .systemLibrary, name: "CZ", dependencies: []),
                .init(kind: .target, name: "A", dependencies: []),
                .init(kind: .target, name: "B", dependencies: ["A", "CZ"]),
                .init(kind: .testTarget, name: "BTests", dependencies: ["B"]),
            ])
    }
}
