/// The collectors there are. The raw value is what a person writes and the end of the topic's name.
public enum CollectorName: String, Hashable, Sendable, CaseIterable {
    case cpu, memory, load, filesystem, disk, network

    /// Reads a name as a person wrote it.
    public init(parsing text: String) throws(UnknownCollectorError) {
        guard let name = CollectorName(rawValue: text) else { throw UnknownCollectorError(name: text) }
        self = name
    }

    /// Reads names separated by commas, `cpu,memory`; each once, in the order given.
    public static func list(parsing text: String) throws(UnknownCollectorError) -> [CollectorName] {
        var names: [CollectorName] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let name = try CollectorName(
                parsing: String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()))
            if !names.contains(name) { names.append(name) }
        }
        return names
    }
}

extension CollectorName: CustomStringConvertible {
    public var description: String { rawValue }
}

/// A name that no collector has.
public struct UnknownCollectorError: Error, Hashable, CustomStringConvertible {
    public let name: String

    public var description: String {
        "there is no collector '\(name)'; the collectors are "
            + CollectorName.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
