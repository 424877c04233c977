// The generated `encode`: the mirror image of decoding. A value that the version has no place for is an error, unless
// the schema says that it may be dropped.

extension MessageEmitter {
    func emitEncoding(_ structure: Structure, path: String, versions: VersionRange, isMessage: Bool) {
        if isMessage {
            let head = "public func encode(into buffer: inout ByteBuffer, version: Int16) throws(ProtocolError)"
            source.block(head) {
                source.line("try Self.checkVersion(version)")
                let needsFlag = schema.flexibleFrom != nil
                if needsFlag { source.line("let flexible = Self.isFlexible(version)") }
                emitEncodingBody(structure, path: path, versions: versions)
            }
        } else {
            source.line(
                "func encode(into buffer: inout ByteBuffer, version: Int16, flexible: Bool) throws(ProtocolError) {")
            source.nested {
                emitEncodingBody(structure, path: path, versions: versions)
            }
            source.line("}")
        }
    }

    private func emitEncodingBody(_ structure: Structure, path: String, versions: VersionRange) {
        for field in structure.fields where field.tag == nil {
            emitEncoding(field, path: path, versions: versions)
        }
        emitTaggedEncoding(structure.fields.filter { $0.tag != nil }, path: path)
    }

    private func emitEncoding(_ field: Field, path: String, versions: VersionRange) {
        guard let present = field.versions.intersection(versions) else { return }
        guard let condition = present.condition(in: versions) else {
            emitWrite(field, path: path, versions: present, to: "buffer")
            return
        }
        source.line("if \(condition) {")
        source.nested {
            emitWrite(field, path: path, versions: present, to: "buffer")
        }
        if !field.ignorable {
            source.line("} else if \(field.differsFromDefault) {")
            source.nested { source.line("throw .fieldNotInVersion(\"\(path).\(field.swiftName)\", version)") }
        }
        source.line("}")
    }

    /// Writes the field, which exists in all of `versions`, nullable or not.
    private func emitWrite(_ field: Field, path: String, versions: VersionRange, to target: String) {
        guard field.nullable != nil else { return emitWrite(field, nullable: false, to: target, path: path) }
        guard let nullable = field.nullable?.intersection(versions) else {
            preconditionFailure("\(path).\(field.name) is never null, so its schema should not say so")
        }
        guard let condition = nullable.condition(in: versions) else {
            return emitWrite(field, nullable: true, to: target, path: path)
        }
        source.line("if \(condition) {")
        source.nested { emitWrite(field, nullable: true, to: target, path: path) }
        source.line("} else {")
        source.nested {
            let label = "\"\(path).\(field.swiftName)\""
            source.line("guard let \(field.escapedName) else { throw .nullInVersion(\(label), version) }")
            emitWrite(field, nullable: false, to: target, path: path)
        }
        source.line("}")
    }

    private func emitWrite(_ field: Field, nullable: Bool, to target: String, path: String) {
        let label = "\"\(path).\(field.swiftName)\""
        let method = nullable ? "writeNullable" : "write"
        let value = field.escapedName
        let flexible = schema.flexibleFrom == nil ? "false" : "flexible"
        switch field.type {
        case .structure where nullable:
            source.call("try \(target).writeNullable(", [value, "version", "flexible: \(flexible)"])
        case .structure:
            source.call("try \(value).encode(", ["into: &\(target)", "version: version", "flexible: \(flexible)"])
        case .array(.structure):
            source.call("try \(target).\(method)Array(", [value, "version", "flexible: \(flexible)", label])
        case .bool, .int8, .int16, .int32, .int64, .uuid, .errorCode:
            precondition(field.nullable == nil, "\(label): a number is never null")
            source.line("\(target).write\(field.type.method)(\(value))")
        case .string, .bytes, .records, .array:
            source.call(
                "try \(target).\(method)\(field.type.method)(", [value, "flexible: \(flexible)", label])
        }
    }

    private func emitTaggedEncoding(_ fields: [Field], path: String) {
        guard let flexibleFrom = schema.flexibleFrom else { return }
        if fields.isEmpty {
            source.line("if flexible { buffer.writeEmptyTaggedFields() }")
            return
        }
        source.line("if flexible {")
        source.nested {
            source.line("var tagged = TaggedFields()")
            for field in fields.sorted(by: { ($0.tag ?? 0) < ($1.tag ?? 0) }) {
                precondition(
                    field.versions.first == flexibleFrom && field.versions.last == VersionRange.open,
                    "\(path).\(field.name): fields tagged in some flexible versions only are not in use yet")
                source.block("if \(field.differsFromDefault)") {
                    source.line("var value = ByteBuffer()")
                    emitWrite(
                        field, path: path, versions: VersionRange(flexibleFrom, schema.versions.last), to: "value")
                    source.line("tagged.append(\(field.tag ?? 0), value)")
                }
            }
            source.line("tagged.write(into: &buffer)")
        }
        let strict = fields.filter { !$0.ignorable && schema.versions.first < flexibleFrom }
        if strict.isEmpty {
            source.line("}")
            return
        }
        source.line("} else {")
        source.nested {
            for field in strict {
                source.block("if \(field.differsFromDefault)") {
                    source.line("throw .fieldNotInVersion(\"\(path).\(field.swiftName)\", version)")
                }
            }
        }
        source.line("}")
    }
}
