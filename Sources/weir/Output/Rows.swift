import FoundationEssentials
import Topology

/// What a command lists: written as a table for people or as JSON for programs.
struct Rows<Row: Encodable> {
    let columns: [(title: String, alignment: TextTable.Alignment)]
    let rows: [Row]
    let cells: (Row) -> [String]

    func print(_ format: ListFormat) throws {
        switch format {
        case .table:
            var table = TextTable(columns)
            for row in rows { table.append(cells(row)) }
            Swift.print(table.text)
        case .json:
            try printJSON(rows)
        }
    }
}

/// Writes a value as indented JSON with sorted keys.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
