import CommitLog
import KafkaProtocol
import NIOCore
import RecordBatch

// The file `catalogue` in the data directory: one line per thing, words separated by one space.
//
//     weir-catalogue 2
//     cluster <cluster id>
//     topic <topic id> <partitions> <name> [<config>=<value>]…
//     deleting <topic id> <partitions> <name>
//     end <CRC-32C of all lines before, in hexadecimal>
//
// Version 1 had no checksum, and is read as well. Configs and values are percent-encoded. The file is replaced as a whole, so it is never half written. A topic
// exists once its line is there; `deleting` means that its directories are being removed, which a start finishes.

/// What the catalogue's file says. A value.
struct CatalogFile: Equatable {
    struct Entry: Equatable {
        var id: TopicID
        var partitions: Int
        var name: TopicName
        var configs: [TopicConfig] = []
    }

    var clusterID: String
    var topics: [Entry] = []
    var deleting: [Entry] = []

    static let name = "catalogue"
    private static let possiblePartitions = 1...1_000_000
    private static let heading = "weir-catalogue 2"
    private static let headingWithoutChecksum = "weir-catalogue 1"

    /// - Returns: nil if there is no file yet.
    static func read(_ path: String, _ fileSystem: any FileSystem) throws(BrokerError) -> CatalogFile? {
        let content: ByteBuffer?
        do throws(LogError) {
            content = try AtomicFile.read(path, fileSystem: fileSystem)
        } catch {
            throw .storage(reason: error.description)
        }
        guard let content else { return nil }
        do throws(LineProblem) {
            return try CatalogFile(parsing: String(buffer: content))
        } catch {
            throw .damagedFile(path: path, reason: error.reason)
        }
    }

    func write(_ path: String, _ fileSystem: any FileSystem) throws(BrokerError) {
        do throws(LogError) {
            try AtomicFile.write(self.text, to: path, fileSystem: fileSystem)
        } catch {
            throw .storage(reason: error.description)
        }
    }

    var text: String {
        var lines = [Self.heading, "cluster \(self.clusterID)"]
        for topic in self.topics {
            let configs = topic.configs.map { " \(Self.encode($0.name))=\(Self.encode($0.value))" }.joined()
            lines.append("topic \(topic.id) \(topic.partitions) \(topic.name)\(configs)")
        }
        for topic in self.deleting { lines.append("deleting \(topic.id) \(topic.partitions) \(topic.name)") }
        let content = lines.joined(separator: "\n") + "\n"
        return content + Self.lastLine(after: content) + "\n"
    }

    private static func lastLine(after content: String) -> String {
        "end " + String(CRC32C.checksum(ByteBuffer(string: content)), radix: 16)
    }

    struct LineProblem: Error {
        let reason: String
    }

    init(clusterID: String) {
        self.clusterID = clusterID
    }

    init(parsing text: String) throws(LineProblem) {
        self.init(clusterID: "")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        guard let heading = lines.first, heading == Self.heading || heading == Self.headingWithoutChecksum else {
            throw LineProblem(reason: "line 1 should be '\(Self.heading)'")
        }
        let content = lines.dropLast().joined(separator: "\n") + "\n"
        let last = heading == Self.heading ? Self.lastLine(after: content) : "end"
        guard let end = lines.last, end.hasPrefix("end") else {
            throw LineProblem(reason: "the last line should begin with 'end'")
        }
        guard end == last else { throw LineProblem(reason: "its checksum does not match what it says") }
        for (number, line) in lines.enumerated().dropFirst().dropLast() {
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "cluster" where words.count == 2:
                self.clusterID = words[1]
            case "topic":
                self.topics.append(try Self.entry(words, line: number + 1))
            case "deleting" where words.count == 4:
                self.deleting.append(try Self.entry(words, line: number + 1))
            default:
                throw LineProblem(reason: "line \(number + 1) is not understood: '\(line.prefix(80))'")
            }
        }
        guard !self.clusterID.isEmpty else { throw LineProblem(reason: "there is no line 'cluster'") }
    }

    private static func entry(_ words: [String], line: Int) throws(LineProblem) -> Entry {
        guard words.count >= 4, let id = TopicID(words[1]), let partitions = Int(words[2]),
            self.possiblePartitions.contains(partitions),
            let name = try? TopicName(words[3])
        else {
            throw LineProblem(reason: "line \(line) should be '\(words[0]) <id> <partitions> <name>'")
        }
        let configs = words.dropFirst(4).compactMap { word -> TopicConfig? in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let name = self.decode(parts[0]), let value = self.decode(parts[1]) else {
                return nil
            }
            return TopicConfig(name: name, value: value)
        }
        guard configs.count == words.count - 4 else {
            throw LineProblem(reason: "line \(line) has a config that is not '<name>=<value>'")
        }
        return Entry(id: id, partitions: partitions, name: name, configs: configs)
    }

    // MARK: Percent-encoding

    private static func encode(_ text: String) -> String {
        var encoded = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "/"), UInt8(ascii: "*"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                encoded += digits.utf8.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return encoded
    }

    private static func decode(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
