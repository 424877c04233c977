/// A format and its parameters, as a content type or a setting names them:
///
///     application/vnd.influxdb.line-protocol; precision=s        influx;precision=s
///
/// A value.
public struct FormatChoice: Sendable {
    /// The Prometheus text format.
    public static let standard = FormatChoice(format: .prometheusText, parameters: [:])

    public let format: SampleFormat
    public let parameters: [String: String]

    private init(format: SampleFormat, parameters: [String: String]) {
        self.format = format
        self.parameters = parameters
    }

    /// Reads a media type or a format's name, with parameters behind semicolons. Case does not matter.
    public init(parsing text: String) throws(FormatChoiceError) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        let type = (parts.first ?? "").lowercased()
        guard let format = SampleFormat.all.first(where: { $0.name == type || $0.mediaTypes.contains(type) }) else {
            throw .unknown(Self.excerpt(type))
        }
        var parameters: [String: String] = [:]
        for part in parts.dropFirst() {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(Self.trimmed)
            let name = sides[0].lowercased()
            guard let choices = format.parameters[name] else { continue }
            var value = (sides.count == 2 ? sides[1] : "").lowercased()
            if value.count > 1, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = String(value.dropFirst().dropLast())
            }
            guard choices.contains(value) else {
                throw .invalidParameter(name, value: Self.excerpt(value), choices: choices)
            }
            parameters[name] = value
        }
        self.init(format: format, parameters: parameters)
    }

    private static func trimmed(_ text: Substring) -> String {
        var rest = text.drop { $0.isWhitespace }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }

    private static func excerpt(_ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { TextFormat.excerpt($0) }
    }
}

/// Why a content type or a setting chooses no format.
public enum FormatChoiceError: Error, Hashable, CustomStringConvertible {
    case unknown(String)
    case invalidParameter(String, value: String, choices: [String])

    public var description: String {
        switch self {
        case .unknown(let type):
            "unknown content type '\(type)'; known are "
                + SampleFormat.all.map { ([$0.name] + $0.mediaTypes).joined(separator: " = ") }.joined(separator: ", ")
        case .invalidParameter(let name, let value, let choices):
            "the content type's \(name) is '\(value)'; it is one of: \(choices.joined(separator: ", "))"
        }
    }
}
