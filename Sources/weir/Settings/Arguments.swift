import Aggregation
public import ArgumentParser
import KafkaClient
import MetricModel
import Subscriber

// How the values of settings are written: durations as Prometheus writes them, sizes with binary units, lists with commas.

extension Duration: @retroactive ExpressibleByArgument {
    public init?(argument: String) {
        guard let duration = try? Duration(text: argument) else { return nil }
        self = duration
    }
}

/// `host:port[,host:port…]`: where a cluster is first asked for its brokers.
struct Bootstrap: ExpressibleByArgument {
    static let local = Bootstrap(addresses: [BrokerAddress(host: "127.0.0.1", port: 9092)])

    let addresses: [BrokerAddress]

    init(addresses: [BrokerAddress]) { self.addresses = addresses }

    init?(argument: String) {
        guard let addresses = try? BrokerAddress.list(parsing: argument) else { return nil }
        self.addresses = addresses
    }
}

/// `host:port` of one listener; port 0 lets the system choose one.
struct ListenAddress: ExpressibleByArgument {
    let host: String
    let port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = UInt16(argument[argument.index(after: colon)...])
        else { return nil }
        let host = argument[..<colon].trimmingBrackets
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }
}

extension Substring {
    /// `[::1]` without its brackets.
    fileprivate var trimmingBrackets: Substring { hasPrefix("[") && hasSuffix("]") ? dropFirst().dropLast() : self }
}

/// A size in bytes: `1048576`, `512KiB`, `64MiB`, `1GiB`.
struct ByteSize: ExpressibleByArgument {
    let bytes: Int

    init(bytes: Int) { self.bytes = bytes }

    init?(argument: String) {
        let units = ["KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40]
        let digits = argument.prefix { $0.isASCII && $0.isNumber }
        let unit = argument.dropFirst(digits.count)
        guard let number = Int(digits), unit.isEmpty || units[String(unit)] != nil else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (units[String(unit)] ?? 0))
        guard !overflow, bytes > 0 else { return nil }
        self.bytes = bytes
    }
}

/// Room to keep free: a ``ByteSize``, or `off` for none.
struct FreeSpace: ExpressibleByArgument {
    let bytes: Int

    init?(argument: String) {
        guard let bytes = argument == "off" ? 0 : ByteSize(argument: argument)?.bytes else { return nil }
        self.bytes = bytes
    }
}

/// A list with commas between its elements.
struct NameList: ExpressibleByArgument {
    let names: [String]

    init(names: [String]) { self.names = names }

    init?(argument: String) {
        names = argument.split(separator: ",").map(String.init)
        guard !names.isEmpty else { return nil }
    }
}

/// `topic=format[,topic=format…]`: the formats of topics, the first that matches counts.
struct TopicFormatList: ExpressibleByArgument {
    let formats: [TopicFormat]

    init(formats: [TopicFormat]) { self.formats = formats }

    /// - Throws: ``TopicFormatError``, which says which of them cannot be used and why.
    init(parsing text: String) throws {
        formats = try text.split(separator: ",").map { try TopicFormat(parsing: String($0)) }
        guard !formats.isEmpty else { throw CommandError("'\(text)' is not TOPIC=FORMAT") }
    }

    init?(argument: String) {
        guard let list = try? TopicFormatList(parsing: argument) else { return nil }
        self = list
    }

    static var allValueStrings: [String] { SampleFormat.all.map { "TOPIC=\($0.name)" } }
}

/// `CONDITION[,CONDITION…]`: threshold conditions, such as `node_load1 > 8 for 5m`.
struct ConditionList: ExpressibleByArgument {
    let conditions: [ThresholdCondition]

    init(conditions: [ThresholdCondition]) { self.conditions = conditions }

    /// - Throws: ``CommandError``, which says which of them cannot be used and why.
    init(parsing text: String) throws {
        conditions = try ConditionText.split(text).map { text in
            do {
                return try ConditionText(parsing: text).condition()
            } catch {
                throw CommandError("the alert '\(text)': \(error)")
            }
        }
    }

    init?(argument: String) {
        guard let list = try? ConditionList(parsing: argument), !list.conditions.isEmpty else { return nil }
        self = list
    }

    static var allValueStrings: [String] { ["conditions such as node_load1 > 8 for 5m"] }
}

/// A regular expression over whole topic names.
struct TopicPattern: ExpressibleByArgument {
    static let metrics = TopicPattern(SubscriberConfiguration.standardTopicPattern)

    let text: String

    init(_ text: String) { self.text = text }

    /// - Throws: ``CommandError`` that says what is wrong with it.
    init(parsing text: String) throws {
        do {
            _ = try Regex(text)
        } catch {
            throw CommandError("the topic pattern '\(text)' is no regular expression: \(error)")
        }
        self.text = text
    }

    init?(argument: String) {
        guard let pattern = try? TopicPattern(parsing: argument) else { return nil }
        self = pattern
    }
}

extension ProcessingMode: ExpressibleByArgument {}

/// How a command writes its result.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json, csv
}

/// How a command that has no rows of numbers writes its result.
enum ListFormat: String, CaseIterable, ExpressibleByArgument {
    case table, json
}
