import Testing

/// scripts/fuzzing is a package of its own that links to sources of ours; whoever gives them an import must give it there, too.
@Suite struct FuzzingPackageTests {
    private static let folder = "scripts/fuzzing"

    @Test func itsTargetsHaveWhatTheLinkedSourcesImport() throws {
        let manifest = PackageManifest(parsing: try Repository.text("\(Self.folder)/Package.swift"))
        let linked = manifest.targets.filter { !$0.name.hasPrefix("Fuzz") && $0.kind == .target }
        #expect(linked.count > 8, "scripts/fuzzing/Package.swift could not be read")
        let ours = Set(targetTable.map(\.name))
        for target in linked {
            let available = Self.reachable(from: target, in: manifest)
            for file in try Repository.swiftFiles(under: "\(Self.folder)/Sources/\(target.name)") {
                for module in SwiftSource.imports(in: file.text).sorted() where ours.contains(module) {
                    #expect(
                        available.contains(module), "\(file.path) imports \(module), which \(target.name) lacks there")
                }
            }
        }
    }

    private static func reachable(from target: PackageManifest.Target, in manifest: PackageManifest) -> Set<String> {
        var found: Set<String> = []
        var open = target.dependencies
        while let name = open.popLast() {
            guard found.insert(name).inserted else { continue }
            open += manifest.targets.first { $0.name == name }?.dependencies ?? []
        }
        return found
    }
}
