/// Writes the Swift file of one message: the type, its nested structures, decoding and encoding.
///
/// A value that is used once; every name in the output comes from the schema.
struct MessageEmitter {
    let schema: MessageSchema
    let source = SourceText()

    init(_ schema: MessageSchema) {
        self.schema = schema
    }

    /// The whole file.
    static func emit(_ schema: MessageSchema) -> String {
        let emitter = MessageEmitter(schema)
        emitter.emitFile()
        return emitter.source.text
    }

    private func emitFile() {
        source.line(Generator.marker)
        source.line()
        source.line("public import NIOCore")
        source.line()
        emitType(schema.structure, path: schema.structure.name, versions: schema.versions, isMessage: true)
        for nested in nestedStructures(of: schema.structure, path: schema.structure.name, versions: schema.versions) {
            source.line()
            source.line("extension \(schema.structure.name) {")
            source.nested {
                emitType(nested.structure, path: nested.path, versions: nested.versions, isMessage: false)
            }
            source.line("}")
        }
    }

    /// A structure, with the path of field names that leads to it and the versions it can occur in.
    private struct Nested {
        var structure: Structure
        var path: String
        var versions: VersionRange
    }

    private func nestedStructures(of structure: Structure, path: String, versions: VersionRange) -> [Nested] {
        var found: [Nested] = []
        for field in structure.fields {
            guard let inner = field.type.structure, let range = field.versions.intersection(versions) else { continue }
            let innerPath = "\(path).\(field.swiftName)"
            found.append(Nested(structure: inner, path: innerPath, versions: range))
            found += nestedStructures(of: inner, path: innerPath, versions: range)
        }
        return found
    }

    private func emitType(_ structure: Structure, path: String, versions: VersionRange, isMessage: Bool) {
        source.comment("///", structure.about)
        if isMessage {
            source.line("///")
            source.comment("///", "A value. " + versionsMeaning)
        }
        source.block("public struct \(structure.name): \(conformances(isMessage: isMessage))") {
            if isMessage { emitIdentity() }
            emitProperties(structure, versions: versions)
            emitInitializers(structure)
            source.line()
            emitDecoding(structure, path: path, versions: versions, isMessage: isMessage)
            source.line()
            emitEncoding(structure, path: path, versions: versions, isMessage: isMessage)
            emitErrorCodes(structure, isMessage: isMessage)
        }
    }

    private var versionsMeaning: String {
        guard let flexibleFrom = schema.flexibleFrom else { return "Versions \(schema.versions)." }
        return "Versions \(schema.versions); flexible from \(flexibleFrom) on."
    }

    private func conformances(isMessage: Bool) -> String {
        guard isMessage else { return "KafkaStructure, Equatable, Sendable" }
        switch schema.kind {
        case .request: return "KafkaRequest, Equatable"
        case .response: return "KafkaResponse, Equatable"
        case .data: return "KafkaData, Equatable"
        }
    }

    private func emitIdentity() {
        switch schema.kind {
        case .request(let api):
            source.line("public typealias Response = \(api.typeName)Response")
            source.line()
            source.line("public static var apiKey: APIKey { .\(api.name) }")
        case .response(let api):
            source.line("public static var apiKey: APIKey { .\(api.name) }")
        case .data:
            break
        }
        source.line(
            "public static var supportedVersions: ClosedRange<Int16> { \(schema.versions.first)...\(schema.versions.last) }"
        )
        let flexible = schema.flexibleFrom.map { "version >= \($0)" } ?? "false"
        source.line("public static func isFlexible(_ version: Int16) -> Bool { \(flexible) }")
    }

    private func emitProperties(_ structure: Structure, versions: VersionRange) {
        for (index, field) in structure.fields.enumerated() {
            if index == 0, source.text.hasSuffix("}\n") { source.line() }
            let words = [field.about, remarks(field, in: versions)].filter { !$0.isEmpty }
            if !words.isEmpty { source.comment("///", words.joined(separator: " ")) }
            source.line("public var \(field.escapedName): \(field.swiftType) = \(field.swiftDefault)")
        }
    }

    /// In which versions the field exists and may be null, as far as the type does not say it.
    private func remarks(_ field: Field, in context: VersionRange) -> String {
        var parts: [String] = []
        let limit = VersionRange(context.first, schema.versions.last)
        if let range = field.versions.intersection(limit), !range.covers(context) {
            parts.append("versions \(describe(range))")
        }
        if let nullable = field.nullable?.intersection(context),
            !nullable.covers(field.versions.intersection(context) ?? context)
        {
            parts.append("null from version \(nullable.first) on")
        }
        if let tag = field.tag { parts.append("tagged field \(tag)") }
        let remarks = parts.joined(separator: "; ")
        return remarks.isEmpty ? "" : remarks.prefix(1).uppercased() + remarks.dropFirst() + "."
    }

    private func describe(_ range: VersionRange) -> String {
        range.last == schema.versions.last
            ? VersionRange(range.first, VersionRange.open).description : range.description
    }

    private func emitInitializers(_ structure: Structure) {
        source.line()
        source.line("public init() {}")
        guard !structure.fields.isEmpty else { return }
        source.line()
        let parameters = structure.fields.map { "\($0.escapedName): \($0.swiftType) = \($0.swiftDefault)" }
        let single = "public init(\(parameters.joined(separator: ", "))) {"
        if single.count + 8 <= SourceText.lineLength {
            source.line(single)
        } else {
            source.line("public init(")
            source.nested {
                for (index, parameter) in parameters.enumerated() {
                    source.line(parameter + (index == parameters.count - 1 ? "" : ","))
                }
            }
            source.line(") {")
        }
        source.nested {
            for field in structure.fields { source.line("self.\(field.swiftName) = \(field.escapedName)") }
        }
        source.line("}")
    }
}
