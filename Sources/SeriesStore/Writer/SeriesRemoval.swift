internal import GRDB
internal import MetricModel

/// Removes a series' rows, and the labels that no series has any more. Owned by the `SeriesTables`.
struct SeriesRemoval {
    private let text: PreparedStatement
    private let findLabel: PreparedStatement
    private let deletePosting: PreparedStatement
    private let findPosting: PreparedStatement
    private let deleteLabel: PreparedStatement
    private let deleteState: PreparedStatement
    private let deleteSeries: PreparedStatement

    init(_ database: Database) throws {
        text = try PreparedStatement("SELECT labels FROM series WHERE id = ?", on: database)
        findLabel = try PreparedStatement("SELECT id FROM label WHERE name = ? AND value = ?", on: database)
        deletePosting = try PreparedStatement(
            "DELETE FROM series_label WHERE label_id = ? AND series_id = ?", on: database)
        findPosting = try PreparedStatement(
            "SELECT series_id FROM series_label WHERE label_id = ? LIMIT 1", on: database)
        deleteLabel = try PreparedStatement("DELETE FROM label WHERE id = ?", on: database)
        deleteState = try PreparedStatement("DELETE FROM series_state WHERE series_id = ?", on: database)
        deleteSeries = try PreparedStatement("DELETE FROM series WHERE id = ?", on: database)
    }

    func remove(_ id: Int64) throws -> Labels {
        text.bind(id, at: 1)
        guard try text.step() else { return Labels() }
        let labels = try Labels(parsing: text.text(0))
        text.reset()
        for label in labels {
            findLabel.bind(label.name, at: 1)
            findLabel.bind(label.value, at: 2)
            guard let labelID = try SeriesTables.singleInteger(findLabel) else { continue }
            deletePosting.bind(labelID, at: 1)
            deletePosting.bind(id, at: 2)
            try deletePosting.run()
            findPosting.bind(labelID, at: 1)
            guard try SeriesTables.singleInteger(findPosting) == nil else { continue }
            deleteLabel.bind(labelID, at: 1)
            try deleteLabel.run()
        }
        for statement in [deleteState, deleteSeries] {
            statement.bind(id, at: 1)
            try statement.run()
        }
        return labels
    }
}
