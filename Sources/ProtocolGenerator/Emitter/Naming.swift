// From the schema's words to Swift's: names, types, defaults and conditions.

extension Field {
    /// The Swift name: a trailing `Id` becomes `ID`.
    var swiftName: String {
        if name.hasSuffix("Id") { return name.dropLast(2) + "ID" }
        if name.hasSuffix("Ids") { return name.dropLast(3) + "IDs" }
        return name
    }

    /// The Swift name where a keyword would be misread.
    var escapedName: String { ["protocol"].contains(swiftName) ? "`\(swiftName)`" : swiftName }

    var swiftType: String { type.swiftType + (nullable == nil ? "" : "?") }

    var swiftDefault: String { defaultValue ?? type.swiftZero(isNullable: nullable != nil) }

    /// An expression that is true where the field differs from its default.
    var differsFromDefault: String {
        switch (swiftDefault, nullable == nil) {
        case ("true", _): "!\(escapedName)"
        case ("false", _): escapedName
        case ("\"\"", true), ("[]", true): "!\(escapedName).isEmpty"
        case ("ByteBuffer()", true): "\(escapedName).readableBytes > 0"
        default: "\(escapedName) != \(swiftDefault)"
        }
    }
}

extension FieldType {
    var swiftType: String {
        switch self {
        case .bool: "Bool"
        case .int8: "Int8"
        case .int16: "Int16"
        case .int32: "Int32"
        case .int64: "Int64"
        case .uuid: "KafkaUUID"
        case .string: "String"
        case .bytes, .records: "ByteBuffer"
        case .errorCode: "ErrorCode"
        case .structure(let structure): structure.name
        case .array(let element): "[\(element.swiftType)]"
        }
    }

    func swiftZero(isNullable: Bool) -> String {
        switch self {
        case .bool: "false"
        case .int8, .int16, .int32, .int64: "0"
        case .uuid: "KafkaUUID.zero"
        case .string: "\"\""
        case .bytes: "ByteBuffer()"
        case .records: isNullable ? "nil" : "ByteBuffer()"
        case .errorCode: "ErrorCode.none"
        case .structure(let structure): "\(structure.name)()"
        case .array: "[]"
        }
    }

    /// The word in the reader's and the writer's method names: `readInt32`, `writeInt32`.
    var method: String {
        switch self {
        case .bool: "Bool"
        case .int8: "Int8"
        case .int16: "Int16"
        case .int32: "Int32"
        case .int64: "Int64"
        case .uuid: "UUID"
        case .string: "String"
        case .bytes, .records: "Bytes"
        case .errorCode: "ErrorCode"
        case .structure: preconditionFailure("a structure reads itself")
        case .array(.structure): "Array"
        case .array(let element): element.method + "Array"
        }
    }
}

extension VersionRange {
    /// The condition for being in this range, for a `version` known to be in `context`; nil where it always is.
    func condition(in context: VersionRange) -> String? {
        if first == last { return context.first == context.last ? nil : "version == \(first)" }
        let lower = first > context.first ? "version >= \(first)" : nil
        let upper = last < context.last ? "version <= \(last)" : nil
        let parts = [lower, upper].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " && ")
    }
}
