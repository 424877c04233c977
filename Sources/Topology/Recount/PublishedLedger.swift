internal import FoundationEssentials

/// What one publisher wrote down before it published it: a line for each record.
///
///     # weir-ledger kind=cpu hosts=10 series=100 …
///     1764316800000 ⇥ metrics.cpu ⇥ cpu-0 ⇥ 100 ⇥ 0
struct PublishedLedger: Sendable {
    struct Record: Hashable, Sendable {
        /// When it was to be collected, in milliseconds since 1970: the time of all its samples.
        var time: Int64
        /// Index into ``topics``.
        var topic: Int
        /// Index into ``instances``.
        var instance: Int
        var samples: Int
    }

    private(set) var records: [Record] = []
    private(set) var topics: [String] = []
    private(set) var instances: [String] = []

    /// - Throws: ``RecountError`` naming the line that is none. A last line that was torn by a kill counts as not written.
    init(path: String) throws(RecountError) {
        guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path: path) }
        try self.init(parsing: data, path: path)
    }

    init(parsing data: Data, path: String) throws(RecountError) {
        var topicNumbers: [Substring: Int] = [:]
        var instanceNumbers: [Substring: Int] = [:]
        let text = String(decoding: data, as: UTF8.self)
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // What stands behind the last line feed is nothing, or torn.
        for (number, line) in lines.dropLast().enumerated() where line.first != UInt8(ascii: "#") {
            let fields = Substring(line).split(separator: "\t")
            guard fields.count >= 4, let time = Int64(fields[0]), let samples = Int(fields[3]) else {
                throw .line(path: path, number: number + 1, text: String(Substring(line)))
            }
            records.append(
                Record(
                    time: time, topic: Self.number(of: fields[1], &topicNumbers, &topics),
                    instance: Self.number(of: fields[2], &instanceNumbers, &instances), samples: samples))
        }
    }

    private static func number(
        of name: Substring, _ numbers: inout [Substring: Int], _ names: inout [String]
    ) -> Int {
        if let number = numbers[name] { return number }
        numbers[name] = names.count
        names.append(String(name))
        return names.count - 1
    }
}

/// A ledger that cannot be counted.
public enum RecountError: Error, Sendable, CustomStringConvertible {
    case unreadable(path: String)
    case line(path: String, number: Int, text: String)
    case pattern(String)

    public var description: String {
        switch self {
        case .unreadable(let path): "the ledger \(path) cannot be read"
        case .line(let path, let number, let text): "\(path):\(number): this is no line of a ledger: \(text)"
        case .pattern(let pattern): "'\(pattern)' is no regular expression"
        }
    }
}
