import Testing

@Suite("Direction: a target imports only targets above it in the design's table")
struct DirectionTests {
    let manifest: PackageManifest

    init() throws {
        manifest = PackageManifest(parsing: try Repository.text("Package.swift"))
    }

    /// The targets that make the product: all but tests, and what only tests use.
    private var productTargets: [PackageManifest.Target] {
        manifest.targets.filter { $0.kind != .testTarget && $0.name != "TestKit" }
    }

    @Test("the table itself runs from top to bottom")
    func tableOrder() {
        var above: Set<String> = []
        for rule in targetTable {
            #expect(above.isSuperset(of: rule.imports), "\(rule.name) imports a target that does not stand above it")
            #expect(above.insert(rule.name).inserted, "\(rule.name) stands twice in the table")
        }
    }

    @Test("every target of Package.swift stands in the table")
    func complete() {
        #expect(productTargets.count > 10, "Package.swift could not be read")
        for target in productTargets {
            #expect(targetTable.allowed(for: target.name) != nil, "\(target.name) is missing in TargetTable.swift")
        }
    }

    @Test("Package.swift declares only what the table allows")
    func declared() {
        for target in productTargets {
            let allowed = targetTable.allowed(for: target.name) ?? []
            for dependency in target.dependencies where !allowed.contains(dependency) {
                Issue.record("Package.swift: \(target.name) must not depend on \(dependency)")
            }
        }
    }

    @Test("sources import only what the table allows")
    func imported() throws {
        let ours = Set(targetTable.map(\.name))
        for file in try Repository.swiftFiles(under: "Sources") {
            guard let rule = targetTable.first(where: { $0.name == file.target }) else { continue }
            let allowed = targetTable.allowed(for: file.target) ?? []
            for module in SwiftSource.imports(in: file.text).sorted() {
                let isAllowed =
                    if ours.contains(module) {
                        allowed.contains(module)
                    } else {
                        rule.packages?.contains(module) ?? true || platformModules.contains(module)
                    }
                if !isAllowed { Issue.record("\(file.path) must not import \(module)") }
            }
        }
    }
}
