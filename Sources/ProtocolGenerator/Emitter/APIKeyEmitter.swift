/// Writes `APIKey.swift`: the requests we know, with their numbers and versions.
enum APIKeyEmitter {
    static func emit(_ apis: [API]) -> String {
        let source = SourceText()
        source.line(Generator.marker)
        source.line()
        source.comment("///", "The requests that this package can encode and decode, by Kafka's number for them.")
        source.line("///")
        source.comment("///", "A value. What a broker serves of it is the broker's own table.")
        source.block("public enum APIKey: Int16, CaseIterable, Hashable, Sendable") {
            for api in apis { source.line("case \(api.name) = \(api.key)") }
            source.line()
            source.comment("///", "The versions that can be encoded and decoded.")
            source.block("public var supportedVersions: ClosedRange<Int16>") {
                source.line("switch self {")
                for api in apis { source.line("case .\(api.name): \(api.versions.first)...\(api.versions.last)") }
                source.line("}")
            }
            source.line()
            source.comment(
                "///", "The first version in the flexible encoding of KIP-482; `Int16.max` if there is none.")
            source.block("public var firstFlexibleVersion: Int16") {
                source.line("switch self {")
                for api in apis {
                    source.line("case .\(api.name): \(api.flexibleFrom.map(String.init) ?? "Int16.max")")
                }
                source.line("}")
            }
        }
        return source.text
    }
}
