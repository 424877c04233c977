public import ArgumentParser
import FoundationEssentials
import MetricModel
public import Topology

/// `weir generate`: plays many hosts, for tests, demonstrations and measurements.
struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Play many hosts, applications, logs or users: publish a workload that is the same each time.",
        discussion: """
            Every series of every host follows from the kind, the seed and the time, and every sample's timestamp is the \
            time it was meant for, however late it is made. --ledger writes each record down before it is published, so that \
            what has arrived can be counted against it.

              weir generate --kind cpu --hosts 50 --series 200 --for 1m
              weir generate --kind log --hosts 5 --direct 127.0.0.1:9200 --ledger log.ledger
            """)

    @Option(help: "What is played: cpu, memory, disk, network, application, log or activity.")
    var kind: WorkloadKind

    @Option(help: ArgumentHelp("Hosts; each has an instance label of its own (default: 10).", valueName: "n"))
    var hosts: Int?

    @Option(help: ArgumentHelp("Series of each host (default: 100).", valueName: "n"))
    var series: Int?

    @Option(help: ArgumentHelp("Time between two records of a host (default: 1s).", valueName: "duration"))
    var interval: Duration?

    @Option(help: ArgumentHelp("Decides the values (default: 1).", valueName: "n"))
    var seed: UInt64?

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "End after this long; 0s publishes what an earlier run left in the spool (default: until it is stopped).",
            valueName: "duration"))
    var duration: Duration?

    @Option(
        help: ArgumentHelp(
            "So many times the rate, from when and for how long: 10@20s+5s.", valueName: "factor@start+length"))
    var burst: BurstSetting?

    @Option(
        help: "How the hosts' records lie in an interval: 'spread' evenly, or 'aligned' all at once (default: spread).")
    var shape: WorkloadSchedule.Shape?

    @Option(help: ArgumentHelp("Begins the instances' names (default: the kind).", valueName: "text"))
    var instancePrefix: String?

    @Option(
        help: ArgumentHelp(
            "The topic (default: metrics.KIND; logs.events and activity.users for log and activity).", valueName: "name"
        ))
    var topic: String?

    @Option(help: ArgumentHelp("Brokers to ask first (default: 127.0.0.1:9092).", valueName: "host:port,…"))
    var bootstrap: Bootstrap?

    @Option(help: ArgumentHelp("Create the topic with so many partitions, if it is not there.", valueName: "n"))
    var partitions: Int?

    @Option(
        help: ArgumentHelp(
            "Where records wait until brokers acknowledge them (default: ./weir-data/generate-KIND).", valueName: "dir")
    )
    var spoolDir: String?

    @Option(
        help: ArgumentHelp(
            "Publish straight to these subscribers, without a broker and without a spool.", valueName: "host:port,…"))
    var direct: Bootstrap?

    @OptionGroup var directLinks: DirectLinkOptions

    @Option(help: ArgumentHelp("Write down every record in this file before it is published.", valueName: "file"))
    var ledger: String?

    @Option(help: "How the closing statistics are written: table or json (default: table).")
    var format: ListFormat?

    @OptionGroup var report: ReportOptions
    @OptionGroup var common: CommonOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let settings = try await common.settings(for: "generate")
        let logger = try log.logger(settings, "weir.generate")
        var configuration = WorkloadConfiguration(kind: kind, target: try target(settings))
        configuration.hosts = try settings.value(hosts, "hosts", default: configuration.hosts)
        configuration.series = try settings.value(series, "series", default: configuration.series)
        configuration.interval = try settings.value(interval, "interval", default: configuration.interval)
        configuration.seed = try settings.value(seed, "seed", default: configuration.seed)
        configuration.duration = try settings.value(duration, "for")
        configuration.burst = try settings.value(burst, "burst")?.burst
        configuration.shape = try settings.value(shape, "shape", default: configuration.shape)
        configuration.instancePrefix = try settings.value(instancePrefix, "instance-prefix")
        configuration.topic = try settings.value(topic, "topic")
        configuration.ledgerPath = try settings.value(ledger, "ledger")
        let format = try settings.value(format, "format", default: .table)
        let generator = try WorkloadGenerator(configuration: configuration, logger: logger)
        try await weir.run(
            try report.reporting([generator], as: "generate", settings, logger: logger) { $0.add(generator) },
            logger: logger)
        let result = ReportService.report(role: "generate", isFinal: true) { $0.add(generator) }
        switch format {
        case .json: print(String(decoding: try result.json(isPretty: true), as: UTF8.self))
        case .table: print(WorkloadSummary(result).text)
        }
    }

    private func target(_ settings: Settings) throws -> WorkloadConfiguration.Target {
        if let direct = try settings.value(direct, "direct") {
            guard bootstrap == nil, partitions == nil, spoolDir == nil else {
                throw CommandError("--direct goes without brokers; leave out --bootstrap, --partitions and --spool-dir")
            }
            return .subscribers(direct.addresses, try directLinks.configuration(settings))
        }
        let partitions = try settings.value(partitions, "partitions")
        if let partitions, !(1...10_000).contains(partitions) {
            throw CommandError("--partitions is \(partitions); it must be from 1 to 10000")
        }
        return .brokers(
            try settings.value(bootstrap, "bootstrap", default: .local).addresses, partitions: partitions,
            spoolDirectory: try settings.value(
                spoolDir, "spool-dir", default: "./weir-data/generate-\(kind.rawValue)"))
    }
}

extension WorkloadKind: ExpressibleByArgument {}
extension WorkloadSchedule.Shape: ExpressibleByArgument {}

/// `FACTOR@START+LENGTH`: a time of a higher rate, counted from the start of the workload.
struct BurstSetting: ExpressibleByArgument {
    let burst: WorkloadSchedule.Burst

    init?(argument: String) {
        let parts = argument.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, let factor = Int(parts[0]), factor >= 1 else { return nil }
        let times = parts[1].split(separator: "+", omittingEmptySubsequences: false)
        guard times.count == 2, let start = try? Duration(text: String(times[0])),
            let length = try? Duration(text: String(times[1])), start >= .zero, length > .zero
        else { return nil }
        burst = WorkloadSchedule.Burst(factor: factor, start: start, length: length)
    }
}

/// The closing statistics of a generator in words.
struct WorkloadSummary {
    let text: String

    init(_ report: ProcessReport) {
        guard let publisher = report.publisher else {
            text = "nothing was published"
            return
        }
        var lines = [
            "published \(publisher.offeredSamples) samples in \(publisher.offeredRecords) records, "
                + "\(report.network.bytesOut) bytes; CPU \(Self.cpu(report)) s, memory \(ByteCount(report.process.maxRssBytes)) at most"
        ]
        if publisher.refusedSamples > 0 {
            lines.append("the spool was full: \(publisher.refusedSamples) samples of the ledger were not published")
        }
        if publisher.waitingRecords > 0 {
            lines.append("\(publisher.waitingRecords) records wait in the spool for the next start")
        }
        for link in publisher.direct ?? [] {
            let lost = link.lostSamples.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            let losses =
                lost.isEmpty ? "none lost here" : lost.map { "lost \($0.value) (\($0.key))" }.joined(separator: ", ")
            lines.append("\(link.destination): sent \(link.sentSamples) samples, \(losses)")
        }
        text = lines.joined(separator: "\n")
    }

    private static func cpu(_ report: ProcessReport) -> String {
        let hundredths = Int((report.process.cpuSeconds * 100).rounded())
        return "\(hundredths / 100).\("\(100 + hundredths % 100)".dropFirst())"
    }
}
