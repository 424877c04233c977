internal import Dashboards
internal import FoundationEssentials
internal import MetricModel

/// A comparison as one HTML page that needs nothing beside it: the template of `dashboards/` with the diagrams, the tables
/// and the figures for its charts filled in.
public struct ComparisonPage: Sendable {
    private let comparison: Comparison
    private let stages: [Stage]
    private let tables: [QuestionTable]

    /// - Parameter stages: the declarations, to be drawn.
    public init(_ comparison: Comparison, stages: [Stage], tables: [QuestionTable]) {
        self.comparison = comparison
        self.stages = stages
        self.tables = tables
    }

    public func html() throws -> String {
        let values = [
            "style": ComparePage.style,
            "script": ComparePage.script,
            "data": Escaping.script(String(decoding: try JSONEncoder().encode(comparison), as: UTF8.self)),
            "highlights": highlights,
            "stages": zip(stages, comparison.stages).map(card).joined(separator: "\n"),
            "questions": tables.map(section).joined(separator: "\n"),
            "contents": tables.map { ##"<a href="#\##($0.name)">\##(Escaping.html($0.question))</a>"## }
                .joined(separator: "\n"),
            "origin": origin,
            "command": Escaping.html(comparison.origin.command),
            "subtitle": Escaping.html(subtitle),
        ]
        return Self.filled(ComparePage.template, values)
    }

    /// The template with `{{name}}` replaced; what is filled in is not looked at again.
    static func filled(_ template: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = template[...]
        while let open = rest.firstRange(of: "{{"), let close = rest[open.upperBound...].firstRange(of: "}}") {
            result += rest[..<open.lowerBound]
            result += values[String(rest[open.upperBound..<close.lowerBound])] ?? ""
            rest = rest[close.upperBound...]
        }
        return result + rest
    }

    private var subtitle: String {
        let origin = comparison.origin
        return "\(comparison.stages.count) stages, \(comparison.isQuick ? "quick run" : "full run"), "
            + "\(origin.date.prefix(10)), \(origin.cores) cores"
    }

    // MARK: Parts

    /// The figures that people quote.
    private var highlights: String {
        var tiles: [(figure: String, text: String)] = []
        let direct = comparison.stages.filter(\.isDirect)
        let brokered = comparison.stages.filter { !$0.isDirect }
        if let mesh = direct.max(by: { $0.shape.connections < $1.shape.connections }),
            let hub = brokered.first(where: {
                $0.shape.publishers == mesh.shape.publishers && $0.shape.subscribers == mesh.shape.subscribers
            })
        {
            tiles.append(
                ("\(mesh.shape.connections) → \(hub.shape.connections)", "connections, by \(hub.shape.brokers) broker"))
            if let one = mesh.steady, let other = hub.steady {
                tiles.append(
                    (
                        "\(FigureText.number(one.cpuSecondsPerMillion)) → \(FigureText.number(other.cpuSecondsPerMillion))",
                        "CPU seconds per million samples delivered"
                    ))
            }
        }
        let lost = { (stages: [StageResult]) in stages.flatMap(\.faults).reduce(0) { $0 + $1.lost } }
        if comparison.stages.contains(where: { !$0.faults.isEmpty }) {
            tiles.append(
                (
                    "\(FigureText.count(lost(direct))) → \(FigureText.count(lost(brokered)))",
                    "samples lost in faults, directly → through brokers"
                ))
        }
        let checked = comparison.stages.reduce(0) { $0 + $1.recount.expected }
        if checked > 0 { tiles.append((FigureText.count(checked), "samples recounted, one by one")) }
        return tiles.map { tile in
            #"<div class="tile"><b>\#(Escaping.html(tile.figure))</b><span>\#(Escaping.html(tile.text))</span></div>"#
        }.joined(separator: "\n")
    }

    private func card(_ stage: Stage, _ result: StageResult) -> String {
        let shape = result.shape
        let facts = [
            Self.counted(shape.processes, "process", "processes"),
            Self.counted(shape.connections, "connection", "connections"),
        ]
        return """
            <article class="stage" id="stage-\(stage.name)">
            <h3><code>\(stage.name)</code>\(Escaping.html(stage.title))</h3>
            <div class="drawing">\(StageDiagram(stage).svg)</div>
            <p>\(Escaping.html(stage.story))</p>
            <p class="facts">\(facts.joined(separator: " · "))</p>
            </article>
            """
    }

    private static func counted(_ count: Int, _ one: String, _ many: String) -> String {
        "\(FigureText.count(count)) \(count == 1 ? one : many)"
    }

    private func section(_ table: QuestionTable) -> String {
        """
        <section class="question" id="\(table.name)">
        <h2>\(Escaping.html(table.question))</h2>
        <p class="meaning">\(Escaping.html(table.meaning))</p>
        <div class="chart" data-chart="\(table.name)"></div>
        \(Self.html(table))
        </section>
        """
    }

    private static func html(_ table: QuestionTable) -> String {
        let header = table.columns.map { #"<th scope="col">\#(Escaping.html($0.title))</th>"# }.joined()
        let rows = table.rows.map { row in
            let cells = row.cells.map { cell in
                #"<td\#(cell.mark.map { #" class="\#($0.rawValue)""# } ?? "")>\#(Escaping.html(cell.text))</td>"#
            }
            return #"<tr><th scope="row">\#(Escaping.html(row.name))</th>\#(cells.joined())</tr>"#
        }
        return """
            <div class="scroll"><table>
            <thead><tr><th scope="col">\(Escaping.html(table.subject))</th>\(header)</tr></thead>
            <tbody>
            \(rows.joined(separator: "\n"))
            </tbody></table></div>
            """
    }

    private var origin: String {
        let origin = comparison.origin
        let load = comparison.load
        let facts: [(String, String)] = [
            ("date", origin.date), ("weir", origin.version),
            ("processor", "\(origin.processor), \(origin.cores) cores"),
            ("memory", "\(ByteCount(origin.memoryBytes))"), ("system", origin.system),
            (
                "workload",
                "\(load.hosts) hosts × \(load.series) series every \(load.interval.shortText), \(load.events) events/s of each "
                    + "kind; at the limit \(FigureText.count(comparison.peakSamplesPerSecond)) samples/s; faults under "
                    + "\(load.calm.hosts) hosts × \(load.calm.series) series"
            ),
            ("took", "\(Int(comparison.seconds)) s"),
        ]
        return facts.map { "<dt>\($0.0)</dt><dd>\(Escaping.html($0.1))</dd>" }.joined(separator: "\n")
    }
}
