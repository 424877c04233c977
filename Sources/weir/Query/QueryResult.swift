import Aggregation
import MetricModel
import SeriesStore
import Topology

/// What a query found, each series with its values in order of time; series without any are left out.
enum QueryResult {
    case samples([Series<Sample>])
    case windows([Series<StoredWindow>])

    struct Series<Value> {
        let labels: Labels
        let values: [Value]
    }

    /// The result as text that ends with a newline, or is empty.
    func text(_ format: OutputFormat) throws -> String {
        switch format {
        case .table: table
        case .csv: csv
        case .json: try json
        }
    }

    private static let windowColumns = ["count", "sum", "min", "max", "first", "last", "mean"]

    private static func cells(_ window: StoredWindow) -> [String] {
        let aggregate = window.aggregate
        let values = [
            aggregate.sum.value, aggregate.min, aggregate.max, aggregate.first.value, aggregate.last.value,
            aggregate.mean,
        ]
        return ["\(aggregate.count)"] + values.map(TextFormat.text)
    }

    /// Time, series and values of every row, with the names of the columns.
    private var rows: (columns: [String], rows: [[String]]) {
        switch self {
        case .samples(let series):
            let rows = series.flatMap { series in
                series.values.map { ["\($0.timestamp)", "\(series.labels)", TextFormat.text($0.value)] }
            }
            return (["time", "series", "value"], rows)
        case .windows(let series):
            let rows = series.flatMap { series in
                series.values.map { ["\($0.start)", "\(series.labels)"] + Self.cells($0) }
            }
            return (["start", "series"] + Self.windowColumns, rows)
        }
    }

    private var table: String {
        let (columns, rows) = rows
        guard !rows.isEmpty else { return "No series matches, or none has a value in this time.\n" }
        var table = TextTable(columns.enumerated().map { ($1, $0 < 2 ? .left : .right) })
        rows.forEach { table.append($0) }
        return table.text + "\n"
    }

    /// RFC 4180, with a header.
    private var csv: String {
        let (columns, rows) = rows
        return ([columns] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
    }

    private static func quoted(_ cell: String) -> String {
        guard cell.contains(where: { $0 == "\"" || $0 == "," || $0.isNewline }) else { return cell }
        return "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
