internal import GRDB
public import MetricModel

extension SeriesReader {
    /// The series that meet all conditions, sorted by their labels. No condition: all series.
    ///
    /// As in Prometheus, a condition is answered from the values its label has, and the series of each value.
    /// A series without the label behaves as if its value were empty.
    public func series(matching matchers: [LabelMatcher]) throws(StoreError) -> [StoredSeries] {
        try read { database in
            try Self.series(matching: matchers, in: database)
        }
    }

    static func series(matching matchers: [LabelMatcher], in database: Database) throws -> [StoredSeries] {
        var conditions: [String] = []
        var labelLists: [String] = []
        for matcher in matchers {
            // With values that do: the series of those. Where empty does too: not the series of values that do not.
            let wanted = !matcher.matchesEmpty
            let labels = try labelIDs(named: matcher.name, in: database) { value in
                matcher.matches(value: value) == wanted
            } onlyValues: {
                wanted ? matcher.onlyValues : nil
            }
            if labels.isEmpty {
                if wanted { return [] }
                continue
            }
            conditions.append(
                """
                id \(wanted ? "" : "NOT") IN
                (SELECT series_id FROM series_label WHERE label_id IN (SELECT value FROM json_each(?)))
                """)
            labelLists.append("[" + labels.map(String.init).joined(separator: ",") + "]")
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        let rows = try PreparedStatement("SELECT id, labels FROM series \(filter)", on: database)
        for (index, list) in labelLists.enumerated() { rows.bind(list, at: Int32(index + 1)) }
        var found: [StoredSeries] = []
        while try rows.step() {
            found.append(StoredSeries(id: SeriesID(rows.integer(0)), labels: try Labels(parsing: rows.text(1))))
        }
        return found.sorted { $0.labels < $1.labels }
    }

    /// The ids of a label's values that `include` picks; looks up `onlyValues` alone where there are such.
    private static func labelIDs(
        named name: String, in database: Database, where include: (String) -> Bool, onlyValues: () -> [String]?
    ) throws -> [Int64] {
        var ids: [Int64] = []
        if let values = onlyValues() {
            let row = try PreparedStatement("SELECT id FROM label WHERE name = ? AND value = ?", on: database)
            for value in values {
                row.bind(name, at: 1)
                row.bind(value, at: 2)
                while try row.step() { ids.append(row.integer(0)) }
            }
            return ids
        }
        let rows = try PreparedStatement("SELECT id, value FROM label WHERE name = ?", on: database)
        rows.bind(name, at: 1)
        while try rows.step() {
            if include(rows.text(1)) { ids.append(rows.integer(0)) }
        }
        return ids
    }
}
