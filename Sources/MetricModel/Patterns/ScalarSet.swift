/// A set of Unicode scalars, as a character class of a regular expression describes it.
struct ScalarSet: Equatable, Sendable {
    /// A part of a class that no list of ranges describes.
    enum Property: Equatable, Sendable {
        /// General categories whose names begin like this, `L` or `Lu`.
        case category(String, isNegated: Bool)
        /// `\D`, `\W`, `\S` within a class.
        case notIn([ClosedRange<UInt32>])
    }

    var ranges: [ClosedRange<UInt32>] = []
    var properties: [Property] = []
    var isNegated = false
    var ignoresCase = false

    static let any = ScalarSet(ranges: [0...0x10FFFF])
    static let anyButLineFeed = ScalarSet(ranges: [0...9, 11...0x10FFFF])
    static let digit = ScalarSet(ranges: [0x30...0x39])
    static let word = ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let space = ScalarSet(ranges: [9...10, 12...13, 0x20...0x20])

    /// The classes that are written `[:name:]` within brackets. All of ASCII.
    static let named: [String: ScalarSet] = [
        "alnum": ScalarSet(ranges: [0x30...0x39, 0x41...0x5A, 0x61...0x7A]),
        "alpha": ScalarSet(ranges: [0x41...0x5A, 0x61...0x7A]), "ascii": ScalarSet(ranges: [0...0x7F]),
        "blank": ScalarSet(ranges: [9...9, 0x20...0x20]), "cntrl": ScalarSet(ranges: [0...0x1F, 0x7F...0x7F]),
        "digit": digit, "graph": ScalarSet(ranges: [0x21...0x7E]), "lower": ScalarSet(ranges: [0x61...0x7A]),
        "print": ScalarSet(ranges: [0x20...0x7E]),
        "punct": ScalarSet(ranges: [0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E]),
        "space": ScalarSet(ranges: [9...13, 0x20...0x20]), "upper": ScalarSet(ranges: [0x41...0x5A]), "word": word,
        "xdigit": ScalarSet(ranges: [0x30...0x39, 0x41...0x46, 0x61...0x66]),
    ]

    init(ranges: [ClosedRange<UInt32>] = []) {
        self.ranges = ranges
    }

    init(_ scalar: Unicode.Scalar, ignoresCase: Bool) {
        ranges = [scalar.value...scalar.value]
        // So that letters without two cases stay the plain characters they are.
        self.ignoresCase = ignoresCase && Self.otherCases(of: scalar).contains { $0 != scalar }
    }

    /// Adds what another class has, which may be a negated one.
    mutating func formUnion(_ other: ScalarSet) {
        if other.isNegated {
            properties.append(.notIn(other.ranges))
        } else {
            ranges += other.ranges
        }
        properties += other.properties
    }

    func contains(_ scalar: Unicode.Scalar) -> Bool {
        var isMember = containsExactly(scalar)
        if !isMember, ignoresCase {
            isMember = Self.otherCases(of: scalar).contains { containsExactly($0) }
        }
        return isMember != isNegated
    }

    private func containsExactly(_ scalar: Unicode.Scalar) -> Bool {
        for range in ranges where range.contains(scalar.value) { return true }
        for property in properties {
            switch property {
            case .category(let name, let isNegated):
                if scalar.properties.generalCategory.code.hasPrefix(name) != isNegated { return true }
            case .notIn(let ranges):
                if !ranges.contains(where: { $0.contains(scalar.value) }) { return true }
            }
        }
        return false
    }

    /// All members, if they are few and known.
    func members(limit: Int) -> [Character]? {
        guard !isNegated, !ignoresCase, properties.isEmpty,
            ranges.reduce(0, { $0 + $1.count }) <= limit
        else { return nil }
        return ranges.flatMap { $0.compactMap { Unicode.Scalar($0).map(Character.init) } }
    }

    private static func otherCases(of scalar: Unicode.Scalar) -> [Unicode.Scalar] {
        if scalar.isASCII {
            let isLetter = (scalar.value | 0x20) &- 0x61 < 26
            return isLetter ? [Unicode.Scalar(UInt8(scalar.value ^ 0x20))] : []
        }
        let properties = scalar.properties
        return [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { mapping in
            mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first : nil
        }
    }
}

extension Unicode.GeneralCategory {
    /// The two letters of the Unicode standard.
    var code: String {
        switch self {
        case .uppercaseLetter: "Lu"
        case .lowercaseLetter: "Ll"
        case .titlecaseLetter: "Lt"
        case .modifierLetter: "Lm"
        case .otherLetter: "Lo"
        case .nonspacingMark: "Mn"
        case .spacingMark: "Mc"
        case .enclosingMark: "Me"
        case .decimalNumber: "Nd"
        case .letterNumber: "Nl"
        case .otherNumber: "No"
        case .connectorPunctuation: "Pc"
        case .dashPunctuation: "Pd"
        case .openPunctuation: "Ps"
        case .closePunctuation: "Pe"
        case .initialPunctuation: "Pi"
        case .finalPunctuation: "Pf"
        case .otherPunctuation: "Po"
        case .mathSymbol: "Sm"
        case .currencySymbol: "Sc"
        case .modifierSymbol: "Sk"
        case .otherSymbol: "So"
        case .spaceSeparator: "Zs"
        case .lineSeparator: "Zl"
        case .paragraphSeparator: "Zp"
        case .control: "Cc"
        case .format: "Cf"
        case .surrogate: "Cs"
        case .privateUse: "Co"
        case .unassigned: "Cn"
        @unknown default: "Cn"
        }
    }
}
