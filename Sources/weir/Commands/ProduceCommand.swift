import ArgumentParser
import KafkaClient
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch

/// `weir produce`: lines become records, on our broker or on any Kafka cluster.
struct ProduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "produce",
        abstract: "Write lines to a topic, each as one record, on any Kafka cluster.",
        usage: "weir produce <topic> [<options>]",
        discussion: """
            Reads standard input, or --file, and ends at its end or on Ctrl-C, when all that was read is written. With \
            acks=all each record is written once, also when brokers fail meanwhile.

              echo 'room_temperature_celsius{room="hall"} 21.5' | weir produce metrics.home
              weir produce orders --file orders.txt --key-separator : --compression lz4
            """)

    @Argument(help: "The topic's name; made on first use if the cluster does so.")
    var topic: String

    @Option(help: ArgumentHelp("Read lines from here (default: standard input).", valueName: "path"))
    var file: String?

    @Option(help: ArgumentHelp("The key of every record.", valueName: "text"))
    var key: String?

    @Option(help: ArgumentHelp("Each line is a key, this text and a value.", valueName: "text"))
    var keySeparator: String?

    @Option(help: ArgumentHelp("A header of every record; can be repeated.", valueName: "name=value"))
    var header: [NamedText] = []

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Write to this partition (default: by key, else in turn).", valueName: "n"))
    var partition: Int32?

    @Option(
        help: ArgumentHelp(
            "When a record counts as written: all (on disk at every in-sync replica; default), 1 or 0.",
            valueName: "all|1|0"))
    var acks: AcknowledgementName?

    @Option(
        help: ArgumentHelp("none, gzip, snappy, lz4 or zstd (default: none).", valueName: "codec"))
    var compression: CompressionName?

    @Option(
        help: ArgumentHelp(
            """
            Write all lines in one transaction by this id, committed at the end of the input; readers of committed \
            records see all of them or none. Another producer with the same id is fenced.
            """, valueName: "id"))
    var transactionalID: String?

    @OptionGroup var cluster: ConnectionOptions
    @OptionGroup var common: CommonOptions

    @Option(help: "How the summary is written: table (to standard error; default) or json (to standard output too).")
    var format: ListFormat?

    func validate() throws {
        if key != nil, keySeparator != nil {
            throw ValidationError("--key gives every record the same key; it cannot be combined with --key-separator")
        }
        if let partition, partition < 0 { throw ValidationError("--partition is \(partition); the first is 0") }
        if transactionalID?.isEmpty == true { throw ValidationError("--transactional-id is empty") }
        if transactionalID != nil, let acks, acks != .all {
            throw ValidationError("a transaction needs --acks all; with --acks \(acks.rawValue) records could be lost")
        }
        if keySeparator?.isEmpty == true { throw ValidationError("--key-separator is empty") }
    }

    func run() async throws {
        let settings = try await common.settings(for: "produce")
        let name = try TopicName(topic)
        var logger = Logger(label: "weir.produce") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .warning
        let acks = try settings.value(acks, "acks", default: .all).value
        let compression = try settings.value(compression, "compression")?.codec ?? .none
        let cluster = try cluster.cluster(settings, logger: logger)
        defer { cluster.close() }
        let producer = LineProducer(
            template: LineProducer.Template(
                topic: name, partition: partition.map { PartitionIndex($0) },
                key: key.map { ByteBuffer(string: $0) }, keySeparator: keySeparator.map { Array($0.utf8) },
                headers: header.map { RecordHeader(key: $0.name, value: ByteBuffer(string: $0.text)) }),
            inputPath: file, cluster: cluster,
            configuration: ProducerConfiguration(
                acks: acks, compression: compression, deliveryTimeout: cluster.configuration.requestTimeout),
            transactionalID: transactionalID,
            format: try settings.value(format, "format", default: .table))
        try await weir.run([producer], logger: logger)
    }
}

/// The names of ``ProducerConfiguration/Acknowledgement`` on the command line: Kafka's.
enum AcknowledgementName: String, CaseIterable, ExpressibleByArgument {
    case all
    case leader = "1"
    case none = "0"

    var value: ProducerConfiguration.Acknowledgement {
        switch self {
        case .all: .all
        case .leader: .leader
        case .none: .none
        }
    }
}

/// A codec by Kafka's name.
struct CompressionName: ExpressibleByArgument {
    static let allValueStrings = CompressionCodec.allCases.map(\.description)

    let codec: CompressionCodec

    init?(argument: String) {
        guard let codec = CompressionCodec(name: argument) else { return nil }
        self.codec = codec
    }
}

/// `name=value`.
struct NamedText: ExpressibleByArgument {
    let name: String
    let text: String

    init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
        name = String(argument[..<equals])
        text = String(argument[argument.index(after: equals)...])
    }
}
