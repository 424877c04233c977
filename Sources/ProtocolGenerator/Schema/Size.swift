// The fewest bytes a value can take on the wire. A reader divides what remains of a message by it to tell a count that
// cannot be true before it reserves anything.

extension FieldType {
    func minimumSize(version: Int, flexible: Bool) -> Int {
        switch self {
        case .bool, .int8: 1
        case .int16, .errorCode: 2
        case .int32: 4
        case .int64: 8
        case .uuid: 16
        case .string: flexible ? 1 : 2
        case .bytes, .records, .array: flexible ? 1 : 4
        case .structure(let structure): structure.minimumSize(version: version, flexible: flexible)
        }
    }
}

extension Field {
    func minimumSize(version: Int, flexible: Bool) -> Int {
        // A structure that may be null has a byte in front that says whether it is.
        if case .structure = type, let nullable, nullable.contains(version) { return 1 }
        return type.minimumSize(version: version, flexible: flexible)
    }
}

extension Structure {
    func minimumSize(version: Int, flexible: Bool) -> Int {
        var size = flexible ? 1 : 0
        for field in fields where field.tag == nil && field.versions.contains(version) {
            size += field.minimumSize(version: version, flexible: flexible)
        }
        return size
    }

    /// The fewest bytes at any version of `range`.
    func minimumSize(in range: VersionRange, of schema: MessageSchema) -> Int {
        let sizes = (range.first...range.last).map { minimumSize(version: $0, flexible: schema.isFlexible($0)) }
        let smallest = sizes.min() ?? 0
        precondition(smallest > 0, "\(name) may take no bytes, so that no count of them could be doubted")
        return smallest
    }
}
