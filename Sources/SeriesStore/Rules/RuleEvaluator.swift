internal import Aggregation
internal import GRDB
internal import MetricModel
internal import Synchronization

/// Evaluates due windows beside the writer: reads their samples on a connection of its own, so that no commit waits for it,
/// and has the writer store the results.
///
/// What is stored meanwhile keeps its windows dirty (`WindowLedger`), so it does not matter that a result is one of some
/// moments ago. Used by one thread at a time, which it blocks.
public final class RuleEvaluator: Sendable {
    private let reader: SeriesReader
    private let state: Mutex<EvaluatorState>

    /// - Parameter writer: the one whose windows are evaluated.
    public init(_ writer: SeriesWriter) throws(StoreError) {
        reader = try SeriesReader(path: writer.path)
        let rules = try writer.withState { state in state.rules.rules }
        state = Mutex(EvaluatorState(writer, reader, rules))
    }

    /// Ends the connection.
    public func close() throws(StoreError) {
        try reader.close()
    }

    /// Evaluates some windows that are due, if there are any. Gives whether there may be more.
    public func step() throws(StoreError) -> Bool {
        let result = state.withLock { state -> Result<Bool, StoreError> in
            do throws(StoreError) {
                return .success(try state.step())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

/// What a `RuleEvaluator` guards with its lock.
private struct EvaluatorState {
    /// Samples that are read at once, about.
    private static let samplesPerReading = 200_000
    /// Group digests that are remembered, eight bytes each.
    private static let maximumDigests = 2 << 20
    /// Windows that are read at once at most.
    private static let maximumWindows = 60

    private let writer: SeriesWriter
    private let reader: SeriesReader
    private var rules: [RuleMembers]
    private var digests = GroupDigests(limit: maximumDigests)
    private var windowsPerReading = 1

    init(_ writer: SeriesWriter, _ reader: SeriesReader, _ rules: [AggregationRule]) {
        self.writer = writer
        self.reader = reader
        self.rules = rules.map { RuleMembers($0) }
    }

    /// Gives whether there may be more.
    mutating func step() throws(StoreError) -> Bool {
        guard let work = try writer.dueWindows(limit: windowsPerReading) else { return false }
        for evaluated in try evaluate(work) {
            let key = GroupDigests.Key(rule: work.rule, start: evaluated.window.due.window.start)
            // Not known while it is being stored: should that fail half way, everything is emitted anew.
            digests.remove(key)
            _ = try writer.store(evaluated.window)
            digests.put(evaluated.digests, key)
        }
        return true
    }

    private struct Evaluated {
        let window: EvaluatedWindow
        /// Of the results of the groups, by their number; 0 where there is none.
        let digests: [UInt64]
    }

    private mutating func evaluate(_ work: RuleWork) throws(StoreError) -> [Evaluated] {
        let due = Self.neighbours(work.due)
        guard let first = due.first, let last = due.last else { return [] }
        let (rule, from, to) = (work.rule, first.window.start - rules[work.rule].rule.reach, last.window.end)
        let samples = try reader.read { database in
            try rules[rule].learn(database)
            return try SeriesReader.samples(of: rules[rule].series, from: from, to: to, in: database)
        }
        let count = samples.values.reduce(0) { $0 + $1.count }
        let perWindow = max(1, count / due.count)
        windowsPerReading = min(max(1, Self.samplesPerReading / perWindow), windowsPerReading * 2, Self.maximumWindows)
        return due.map { evaluate($0, of: rule, samples) }
    }

    /// As many of the windows as follow each other closely, so that little is read in vain.
    private static func neighbours(_ due: [DueWindow]) -> [DueWindow] {
        guard var last = due.first else { return [] }
        var neighbours = [last]
        for window in due.dropFirst() {
            guard window.window.start - last.window.end <= last.window.width else { break }
            neighbours.append(window)
            last = window
        }
        return neighbours
    }

    private func evaluate(_ due: DueWindow, of rule: Int, _ samples: [SeriesID: [Sample]]) -> Evaluated {
        var evaluation = RuleEvaluation(of: rules[rule].groups, in: due.window)
        for (series, samples) in samples {
            if let group = rules[rule].group(of: series) { evaluation.add(samples[...], to: group) }
        }
        let results = evaluation.groupResults()
        var all = [UInt64](repeating: 0, count: rules[rule].groups.count)
        for result in results { all[result.group.number] = result.digest }
        let known = digests.get(GroupDigests.Key(rule: rule, start: due.window.start))
        let records = results.filter { result in
            guard let known else { return true }
            let number = result.group.number
            return number >= known.count || known[number] != all[number]
        }
        let window = EvaluatedWindow(
            rule: rule, due: due, digest: RuleResult.digest(of: results.lazy.map { all[$0.group.number] }),
            records: records.map { RuleRecord($0, in: due.window) })
        return Evaluated(window: window, digests: all)
    }
}

/// The series of one rule and their groups. Owned by a `RuleEvaluator`.
private struct RuleMembers {
    let rule: AggregationRule
    private(set) var groups: RuleGroups
    private(set) var series: Set<SeriesID> = []
    private var groupOf: [SeriesID: RuleGroups.Index] = [:]
    /// Series up to this id are known. Ids are given in order, and to one series only.
    private var lastID: Int64 = 0

    init(_ rule: AggregationRule) {
        self.rule = rule
        groups = RuleGroups(of: rule)
    }

    /// Finds the group of each series that is new.
    mutating func learn(_ database: Database) throws {
        let rows = try PreparedStatement("SELECT id, labels FROM series WHERE id > ? ORDER BY id", on: database)
        rows.bind(lastID, at: 1)
        while try rows.step() {
            lastID = rows.integer(0)
            guard let group = groups.group(of: try Labels(parsing: rows.text(1))) else { continue }
            series.insert(SeriesID(lastID))
            groupOf[SeriesID(lastID)] = group
        }
    }

    func group(of series: SeriesID) -> RuleGroups.Index? { groupOf[series] }
}

/// The digests of the groups' results in the windows evaluated last, by which those that changed are known. Owned by a
/// `RuleEvaluator`.
private struct GroupDigests {
    struct Key: Hashable {
        let rule: Int
        let start: Timestamp
    }

    private let limit: Int
    private var digests: [Key: [UInt64]] = [:]
    private var order: [Key] = []
    private var count = 0

    init(limit: Int) {
        self.limit = limit
    }

    func get(_ key: Key) -> [UInt64]? { digests[key] }

    mutating func remove(_ key: Key) {
        count -= digests.removeValue(forKey: key)?.count ?? 0
    }

    /// Forgets the oldest where there are too many.
    mutating func put(_ new: [UInt64], _ key: Key) {
        count += new.count - (digests.updateValue(new, forKey: key)?.count ?? 0)
        order.append(key)
        var first = 0
        while count > limit, first < order.count - 1 {
            remove(order[first])
            first += 1
        }
        order.removeFirst(first)
        if order.count > 2 * digests.count + 16 { order = order.filter { digests[$0] != nil } }
    }
}

extension RuleRecord {
    init(_ result: GroupResult, in window: Window) {
        var text = TextFormat.Writer()
        for row in result.rows { text.append(row.labels, value: row.value, timestamp: window.end) }
        self.init(key: result.labels.description, value: String(decoding: text.bytes, as: UTF8.self))
    }
}
