/// What a field holds, in Kafka's wire types.
indirect enum FieldType: Sendable {
    case bool
    case int8
    case int16
    case int32
    case int64
    case uuid
    case string
    case bytes
    /// Record batches: `bytes` whose content another layer reads. Null unless said otherwise.
    case records
    /// An `int16` that is one of Kafka's error codes.
    case errorCode
    case structure(Structure)
    case array(FieldType)

    /// The structure in this type, through arrays.
    var structure: Structure? {
        switch self {
        case .structure(let structure): structure
        case .array(let element): element.structure
        default: nil
        }
    }
}

/// One field of a message or of a structure in it.
struct Field: Sendable {
    /// Kafka's name in lowerCamelCase, `throttleTimeMs`; the emitter makes the Swift name of it.
    var name: String
    var type: FieldType
    /// The versions that have the field.
    var versions: VersionRange
    /// The versions in which it may be null; nil if it never may.
    var nullable: VersionRange?
    /// The default as Swift source; nil stands for the type's zero.
    var defaultValue: String?
    /// Whether a version without the field may drop a value that is not the default. Where it may not, encoding fails.
    var ignorable: Bool
    /// The number of a tagged field (KIP-482), which is written only where it differs from its default.
    var tag: Int?
    /// What the field means, with its unit; empty where the name says it.
    var about: String

    init(
        _ name: String, _ type: FieldType, _ versions: VersionRange = "0+", nullable: VersionRange? = nil,
        default defaultValue: String? = nil, ignorable: Bool = false, tag: Int? = nil, about: String = ""
    ) {
        self.name = name
        self.type = type
        self.versions = versions
        self.nullable = nullable
        self.defaultValue = defaultValue
        self.ignorable = ignorable
        self.tag = tag
        self.about = about
    }
}

/// A named group of fields inside a message.
struct Structure: Sendable {
    var name: String
    var about: String
    var fields: [Field]

    init(_ name: String, _ about: String, _ fields: [Field]) {
        self.name = name
        self.about = about
        self.fields = fields
    }
}

/// One message: a request, a response, or data that others carry in their bytes.
struct MessageSchema: Sendable {
    enum Kind: Sendable {
        case request(API)
        case response(API)
        /// Stored or carried as `Int16 version` and then the message in that version.
        case data
    }

    var kind: Kind
    var versions: VersionRange
    /// The first version in KIP-482's flexible encoding; nil if there is none.
    var flexibleFrom: Int?
    var structure: Structure

    init(
        _ kind: Kind, _ name: String, _ versions: VersionRange, flexibleFrom: Int? = nil, _ about: String,
        _ fields: [Field]
    ) {
        self.kind = kind
        self.versions = versions
        self.flexibleFrom = flexibleFrom
        self.structure = Structure(name, about, fields)
    }

    func isFlexible(_ version: Int) -> Bool {
        guard let flexibleFrom else { return false }
        return version >= flexibleFrom
    }
}

/// A request and the response to it, under one key and one range of versions.
struct API: Sendable {
    /// Kafka's name in lowerCamelCase: the case of `APIKey`.
    var name: String
    var key: Int
    var versions: VersionRange
    /// The first version in KIP-482's flexible encoding; nil if there is none.
    var flexibleFrom: Int?

    init(_ name: String, key: Int, versions: VersionRange, flexibleFrom: Int?) {
        self.name = name
        self.key = key
        self.versions = versions
        self.flexibleFrom = flexibleFrom
    }

    var typeName: String { name.prefix(1).uppercased() + name.dropFirst() }

    func request(_ about: String, _ fields: [Field]) -> MessageSchema {
        MessageSchema(.request(self), typeName + "Request", versions, flexibleFrom: flexibleFrom, about, fields)
    }

    func response(_ about: String, _ fields: [Field]) -> MessageSchema {
        MessageSchema(.response(self), typeName + "Response", versions, flexibleFrom: flexibleFrom, about, fields)
    }
}
