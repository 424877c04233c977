// The generated `forEachErrorCode` of responses: so that whoever serves or sends requests can count errors without
// knowing where each response keeps them.

extension MessageEmitter {
    /// Whether a structure, or one inside of it, has an error code.
    static func hasErrorCode(_ structure: Structure) -> Bool {
        structure.fields.contains { field in
            if case .errorCode = field.type { return true }
            return field.type.structure.map(hasErrorCode) ?? false
        }
    }

    func emitErrorCodes(_ structure: Structure, isMessage: Bool) {
        guard case .response = schema.kind, isMessage || Self.hasErrorCode(structure) else { return }
        source.line()
        let access = isMessage ? "public " : ""
        source.block("\(access)func forEachErrorCode(_ body: (ErrorCode) -> Void)") {
            for field in structure.fields { emitErrorCodes(field) }
        }
    }

    private func emitErrorCodes(_ field: Field) {
        let isNullable = field.nullable != nil
        switch field.type {
        case .errorCode:
            source.line("body(\(field.escapedName))")
        case .structure(let structure) where Self.hasErrorCode(structure):
            source.line("\(field.escapedName)\(isNullable ? "?" : "").forEachErrorCode(body)")
        case .array(.structure(let element)) where Self.hasErrorCode(element):
            let list = isNullable ? "\(field.escapedName) ?? []" : field.escapedName
            source.line("for element in \(list) { element.forEachErrorCode(body) }")
        default:
            break
        }
    }
}
