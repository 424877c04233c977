import Testing

@testable import ProtocolGenerator

@Suite("Generated code: the schemas and the committed messages agree")
struct GeneratedCodeTests {
    private static let folder = "Sources/KafkaProtocol/Messages"

    @Test("generating again gives exactly the committed files")
    func upToDate() throws {
        let advice = "run `swift run ProtocolGenerator` and commit what it writes"
        let generated = Generator.files()
        let committed = try Repository.paths(under: Self.folder).map { String($0.dropFirst(Self.folder.count + 1)) }
        #expect(Set(committed) == Set(generated.map(\.name)), "\(advice)")
        for file in generated where committed.contains(file.name) {
            let text = try Repository.text("\(Self.folder)/\(file.name)")
            if text != file.text {
                let pairs = zip(text.split(separator: "\n"), file.text.split(separator: "\n"))
                let difference = pairs.first { $0 != $1 }.map { "'\($0)' should be '\($1)'" } ?? "the lengths differ"
                Issue.record("\(file.name): \(difference); \(advice)")
            }
        }
    }

    @Test("every file says that it is generated, and no two have the same name")
    func marks() {
        let files = Generator.files()
        #expect(files.allSatisfy { $0.text.hasPrefix(Generator.marker + "\n") })
        #expect(Set(files.map(\.name)).count == files.count)
    }

    @Test("a request and its response have the versions of their API, and keys and error codes are unique")
    func catalog() {
        #expect(Set(Catalog.apis.map(\.key)).count == Catalog.apis.count)
        #expect(Set(ErrorDefinition.all.map(\.code)).count == ErrorDefinition.all.count)
        #expect(Set(ErrorDefinition.all.map(\.swiftName)).count == ErrorDefinition.all.count)
        let names = Set(Catalog.messages.map(\.structure.name))
        #expect(names.count == Catalog.messages.count)
        for api in Catalog.apis {
            #expect(names.isSuperset(of: [api.typeName + "Request", api.typeName + "Response"]))
        }
    }
}
