/// The questions that a comparison answers, each with its table. Pure: the same comparison gives the same tables.
public struct ComparisonTables: Sendable {
    private let comparison: Comparison

    public init(_ comparison: Comparison) { self.comparison = comparison }

    private typealias Table = QuestionTable
    private typealias Cell = QuestionTable.Cell

    /// Those that there is something to say about.
    public var all: [QuestionTable] {
        let candidates: [QuestionTable] =
            [size, growth, freshness, cost, limit] + Fault.allCases.map(fault) + [accounts, modes, scale]
        return candidates.filter { !$0.rows.isEmpty }.map { table in
            var table = table
            table.markBestAndWorst()
            return table
        }
    }

    private var size: QuestionTable {
        var table = Table(
            "size", "How much is there to run, and to configure?",
            [
                .init("publishers"), .init("brokers"), .init("subscribers"), .init("processes", .lower),
                .init("connections", .lower), .init("TCP connections", .lower), .init("settings", .lower),
                .init("of them addresses", .lower),
            ])
        for stage in comparison.stages {
            let shape = stage.shape
            table.append(
                stage.name,
                [
                    .count(shape.publishers), .count(shape.brokers), .count(shape.subscribers),
                    .count(shape.processes), .count(shape.connections),
                    stage.steady == nil ? .none : .count(stage.establishedConnections),
                    stage.steady == nil ? .none : .count(stage.configurationLines),
                    stage.steady == nil ? .none : .count(stage.addressLines),
                ])
        }
        table.meaning = Meanings.size(comparison)
        return table
    }

    private var growth: QuestionTable {
        var columns: [QuestionTable.Column] = []
        for addition in AdditionResult.Addition.allCases {
            columns.append(.init("+\(addition.rawValue): touched", .lower))
            columns.append(.init("missed", .lower))
            columns.append(.init("until data", .lower))
        }
        var table = Table("growth", "What does it take to add something while it runs?", columns)
        for stage in comparison.stages where !stage.additions.isEmpty {
            table.append(
                stage.name,
                AdditionResult.Addition.allCases.flatMap { addition -> [Cell] in
                    guard let result = stage.additions.first(where: { $0.addition == addition }) else {
                        return [.none, .none, .none]
                    }
                    return [
                        .count(result.touched), .count(result.notCollected + result.lost),
                        .seconds(result.secondsUntilData),
                    ]
                })
        }
        table.meaning = Meanings.growth(comparison)
        return table
    }

    private var freshness: QuestionTable {
        var table = Table(
            "freshness", "How fresh is a sample when it can be queried?",
            [
                .init("fresh after", .lower), .init("published/s"), .init("delivered/s", .higher),
                .init("arrived p50", .lower), .init("p99", .lower), .init("committed p50", .lower),
                .init("p99", .lower), .init("p99.9", .lower), .init("maximum", .lower), .init("lost", .lower),
            ])
        for stage in comparison.stages {
            guard let steady = stage.steady else { continue }
            table.append(
                stage.name,
                [
                    .seconds(steady.secondsUntilFresh), .number(steady.offeredPerSecond),
                    .number(steady.deliveredPerSecond), .milliseconds(steady.arrival.p50),
                    .milliseconds(steady.arrival.p99), .milliseconds(steady.latency.p50),
                    .milliseconds(steady.latency.p99), .milliseconds(steady.latency.p999),
                    .milliseconds(steady.latency.maximum), .count(steady.lost),
                ])
        }
        table.meaning = Meanings.freshness(comparison)
        return table
    }

    private static let costColumns: [QuestionTable.Column] = [
        .init("publishers", .lower), .init("brokers", .lower), .init("subscribers", .lower), .init("all CPU s", .lower),
        .init("broker's share", .lower), .init("memory", .lower), .init("bytes on the wire", .lower),
    ]

    private static func costCells(_ steady: SteadyResult) -> [QuestionTable.Cell] {
        func cpu(_ role: StageRole) -> Cell {
            .number(steady.roles.first { $0.role == role }?.cpuSecondsPerMillion)
        }
        let hasBroker = steady.roles.contains { $0.role == .broker }
        return [
            cpu(.publisher), cpu(.broker), cpu(.subscriber), .number(steady.cpuSecondsPerMillion),
            hasBroker ? .percent(steady.share(of: .broker)) : .none, .bytes(steady.memoryBytes),
            .number(steady.wireBytesPerSample),
        ]
    }

    private var cost: QuestionTable {
        var table = Table(
            "cost", "What does a million delivered samples cost, in CPU seconds, and how much memory stands by?",
            Self.costColumns)
        for stage in comparison.stages {
            if let steady = stage.steady { table.append(stage.name, Self.costCells(steady)) }
        }
        table.meaning = Meanings.cost(comparison)
        return table
    }

    private var limit: QuestionTable {
        var table = Table(
            "limit", "What happens with more than comes every day?",
            [
                .init("published/s"), .init("delivered/s", .higher), .init("fresh again after", .lower),
                .init("stored in the end", .higher),
                .init("p99", .lower), .init("CPU s per million", .lower), .init("lost", .lower),
            ])
        for stage in comparison.stages {
            guard let peak = stage.peak else { continue }
            table.append(stage.name, limitCells(peak))
        }
        table.meaning = Meanings.limit(comparison)
        return table
    }

    private func limitCells(_ peak: SteadyResult) -> [QuestionTable.Cell] {
        [
            .number(peak.offeredPerSecond), .number(peak.deliveredPerSecond), .seconds(peak.secondsUntilFresh),
            .percent(peak.expected == 0 ? nil : 1 - Double(peak.lost) / Double(peak.expected)),
            .milliseconds(peak.latency.p99), .number(peak.cpuSecondsPerMillion), .count(peak.lost),
        ]
    }

    private func fault(_ fault: Fault) -> QuestionTable {
        var table = Table(
            fault.rawValue, "What if \(fault.words)?",
            [
                .init("lost", .lower), .init("lost by others", .lower), .init("repeated"),
                .init("delayed over 1 s", .lower),
                .init("others' maximum", .lower), .init("records held back"), .init("recovered after", .lower),
            ])
        for stage in comparison.stages {
            guard let result = stage.faults.first(where: { $0.fault == fault }) else { continue }
            table.append(
                stage.name,
                [
                    .count(result.lost), .count(result.othersLost), .count(result.repeated), .count(result.delayed),
                    result.othersMaximum > 0 ? .milliseconds(result.othersMaximum) : .none,
                    .count(result.waitingRecords), .seconds(result.recoverySeconds),
                ])
        }
        table.meaning = Meanings.fault(fault, comparison)
        return table
    }

    private var accounts: QuestionTable {
        var table = Table(
            "accounts", "Is every sample accounted for?",
            [
                .init("published for subscribers"), .init("stored"), .init("lost", .lower),
                .init("unexplained", .lower),
                .init("counted wrong", .lower),
            ])
        for stage in comparison.stages where stage.recount.expected > 0 {
            let recount = stage.recount
            table.append(
                stage.name,
                [
                    .count(recount.expected), .count(recount.stored), .count(recount.lost), .count(recount.unexpected),
                    .count(recount.countedWrong),
                ])
        }
        table.meaning = Meanings.accounts(comparison)
        return table
    }

    private var modes: QuestionTable {
        var table = Table(
            "modes", "What does a processing mode change?", subject: "mode",
            [
                .init("delivered/s", .higher), .init("arrived p50", .lower), .init("p99", .lower),
                .init("committed p50", .lower), .init("p99", .lower), .init("p99.9", .lower), .init("maximum", .lower),
                .init("CPU s per million", .lower), .init("memory", .lower),
            ])
        for mode in comparison.modes {
            let steady = mode.steady
            table.append(
                mode.mode,
                [
                    .number(steady.deliveredPerSecond), .milliseconds(steady.arrival.p50),
                    .milliseconds(steady.arrival.p99), .milliseconds(steady.latency.p50),
                    .milliseconds(steady.latency.p99), .milliseconds(steady.latency.p999),
                    .milliseconds(steady.latency.maximum), .number(steady.cpuSecondsPerMillion),
                    .bytes(steady.memoryBytes),
                ])
        }
        table.meaning = Meanings.modes(comparison)
        return table
    }

    private var scale: QuestionTable {
        var table = Table(
            "scale", "Where do N × M and N + M cross?", subject: "publishers × subscribers",
            [
                .init("links"), .init("TCP connections"), .init("CPU s per million"), .init("memory"), .init("p99"),
            ])
        for point in comparison.scale {
            table.append(
                "\(point.publishers) × \(point.subscribers) \(point.isDirect ? "direct" : "with a broker")",
                [
                    .count(point.connections), .count(point.establishedConnections),
                    .number(point.cpuSecondsPerMillion), .bytes(point.memoryBytes), .milliseconds(point.latency.p99),
                ])
        }
        table.meaning = Meanings.scale(comparison)
        return table
    }
}
