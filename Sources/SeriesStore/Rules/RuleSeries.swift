internal import Aggregation
internal import GRDB
internal import MetricModel

/// Which rules take which series, found once per series. Owned by the `RuleEngine`, used on the writer's connection only.
///
/// Two bytes a series: there are many series, and few different sets of rules.
struct RuleSeries {
    private let rules: [AggregationRule]
    private let find: PreparedStatement
    /// By series id, the place in `sets`, plus one; 0 where it is not known. Ids are given to one series only.
    private var places: ContiguousArray<UInt16> = []
    /// The rules of a series by their places, and the retention of the series.
    private var sets: [(rules: [Int], retention: Int64)] = []
    /// What the transaction under way has found out: should it fail, the ids may become others'.
    private var found: [Int] = []

    init(_ rules: [AggregationRule], _ database: Database) throws {
        self.rules = rules
        find = try PreparedStatement(
            "SELECT labels, retention FROM series JOIN series_state ON series_id = id WHERE id = ?", on: database)
    }

    /// The rules that take a series, and the number of its retention.
    mutating func rules(of id: Int64) throws -> (rules: [Int], retention: Int64) {
        let index = Int(id)
        if index < places.count, places[index] != 0 { return sets[Int(places[index]) - 1] }
        find.bind(id, at: 1)
        guard try find.step() else { return ([], 0) }
        defer { find.reset() }
        let labels = try Labels(parsing: find.text(0))
        let set = (rules: rules.indices.filter { rules[$0].matches(labels) }, retention: find.integer(1))
        guard let place = sets.firstIndex(where: { $0 == set }) ?? append(set) else { return set }
        if index >= places.count { places.append(contentsOf: repeatElement(0, count: index + 1 - places.count)) }
        places[index] = UInt16(place + 1)
        found.append(index)
        return set
    }

    /// Nil when there is no room to remember it.
    private mutating func append(_ set: (rules: [Int], retention: Int64)) -> Int? {
        guard sets.count < Int(UInt16.max) - 1 else { return nil }
        sets.append(set)
        return sets.count - 1
    }

    mutating func begin() {
        found.removeAll(keepingCapacity: true)
    }

    mutating func rollBack() {
        for index in found { places[index] = 0 }
        found = []
    }
}
