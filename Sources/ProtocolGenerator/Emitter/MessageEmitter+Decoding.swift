// The generated `init(decoding:version:)`: one plain statement a field, in wire order, then the tagged fields.

extension MessageEmitter {
    func emitDecoding(_ structure: Structure, path: String, versions: VersionRange, isMessage: Bool) {
        let access = isMessage ? "public " : ""
        let head = "\(access)init(decoding reader: inout MessageReader, version: Int16) throws(ProtocolError)"
        source.block(head) {
            if isMessage { source.line("try reader.begin(Self.self, version: version)") }
            emitPlainFields(structure.fields.filter { $0.tag == nil }, path: path, versions: versions)
            emitTaggedDecoding(structure.fields.filter { $0.tag != nil }, path: path)
        }
    }

    /// Neighbours that exist in the same versions share one condition.
    private func emitPlainFields(_ fields: [Field], path: String, versions: VersionRange) {
        var rest = fields[...]
        while let first = rest.first {
            guard let present = first.versions.intersection(versions) else {
                rest = rest.dropFirst()
                continue
            }
            let neighbours = rest.prefix { $0.versions.intersection(versions) == present }
            let body = {
                for field in neighbours { emitAssignment(field, path: path, versions: present) }
            }
            if let condition = present.condition(in: versions) {
                source.block("if \(condition)", body)
            } else {
                body()
            }
            rest = rest.dropFirst(neighbours.count)
        }
    }

    /// Assigns the field, which exists in all of `versions`, nullable or not.
    private func emitAssignment(_ field: Field, path: String, versions: VersionRange) {
        guard let nullable = field.nullable?.intersection(versions) else {
            emitRead(field, nullable: false, path: path, versions: versions)
            return
        }
        guard let condition = nullable.condition(in: versions) else {
            emitRead(field, nullable: true, path: path, versions: versions)
            return
        }
        source.line("if \(condition) {")
        source.nested { emitRead(field, nullable: true, path: path, versions: versions) }
        source.line("} else {")
        source.nested { emitRead(field, nullable: false, path: path, versions: versions) }
        source.line("}")
    }

    private func emitRead(_ field: Field, nullable: Bool, path: String, versions: VersionRange) {
        let label = "\"\(path).\(field.swiftName)\""
        let method = nullable ? "readNullable" : "read"
        let target = field.escapedName
        switch field.type {
        case .structure(let structure) where nullable:
            source.call("\(target) = try reader.readNullable(", ["\(structure.name).self", "version", label])
        case .structure(let structure):
            source.call("\(target) = try \(structure.name)(", ["decoding: &reader", "version: version"])
        case .array(.structure(let element)):
            let size = element.minimumSize(in: versions, of: schema)
            source.call(
                "\(target) = try reader.\(method)Array(",
                ["of: \(element.name).self", "version", "minimumSize: \(size)", label])
        default:
            source.call("\(target) = try reader.\(method)\(field.type.method)(", [label])
        }
    }

    private func emitTaggedDecoding(_ fields: [Field], path: String) {
        guard schema.flexibleFrom != nil else { return }
        if fields.isEmpty {
            source.line("try reader.skipTaggedFields()")
            return
        }
        source.block("for _ in 0..<(try reader.readTaggedFieldCount())") {
            source.line("let field = try reader.beginTaggedField()")
            source.line("switch field.tag {")
            for field in fields {
                let range = field.versions.intersection(schema.versions) ?? schema.versions
                let nullable = field.nullable != nil
                source.line("case \(field.tag ?? 0):")
                source.nested { emitRead(field, nullable: nullable, path: path, versions: range) }
            }
            source.line("default:")
            source.nested { source.line("reader.skip(field)") }
            source.line("}")
            source.line("try reader.end(field)")
        }
    }
}
