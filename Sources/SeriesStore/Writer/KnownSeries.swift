internal import Aggregation
internal import GRDB
internal import MetricModel

/// The series that this process has heard of, by reference: which row each has in the database, until when samples of it
/// are taken, or why it is refused. Owned by the `SeriesWriter`, used on its connection only.
///
/// A series gets its row with its first sample that is stored; one that retention has removed gets a new one with its next.
/// What other processes do to the series of the database is learned by `catchUp`.
struct KnownSeries {
    /// What becomes of a series' samples.
    enum Standing {
        /// Those from `firstTaken` on are stored under this id.
        case stored(id: Int64, firstTaken: Timestamp)
        /// None is stored, because of a limit.
        case refused
    }

    /// 16 bytes: there may be a million.
    private struct Entry {
        /// The row's id; or one of the two below.
        var id: Int64 = Self.undefined
        /// The latest hour with samples, counted from 1970.
        var lastHour: Int32 = .min
        /// The place of its retention, or when it is refused of the cause.
        var detail: UInt16 = 0

        static let undefined: Int64 = 0
        /// Its labels are among `named`: it has no row, or it is not known yet which.
        static let named: Int64 = -1
        static let refused: Int64 = -2
    }

    private var entries: ContiguousArray<Entry> = []
    private var named: [SeriesReference: Labels] = [:]
    /// What the transaction under way has taken out of `named`.
    private var settled: [(reference: SeriesReference, labels: Labels)] = []
    /// The latest hours that the transaction under way has changed, as they were.
    private var touched: [(index: Int, lastHour: Int32)] = []
    private var tables: SeriesTables
    private var changes: SeriesChanges
    /// What `changes` knew before the transaction under way.
    private var markBefore = SeriesChanges.Mark()
    /// All references are void: this process was silent for too long. Until the next commit is told.
    private(set) var isLost = false
    private(set) var retentions: RetentionTable
    private var census: SeriesCensus
    private var causes: [SeriesOverflow] = []
    /// What was refused in the transaction under way, by the place in `causes`.
    private var overflow: [Int: (series: Int64, samples: Int64)] = [:]
    private var createdCount = 0
    /// What was found to have no row in the transaction under way: refused by a limit, or older than its retention.
    private var unstored: [SeriesReference] = []
    /// What `settle` took in the transaction under way.
    private(set) var settlingDuration = Duration.zero
    private let overflowTable: OverflowTable

    /// Part of a transaction.
    init(_ configuration: SeriesWriter.Configuration, _ database: Database) throws {
        tables = try SeriesTables(database)
        changes = try SeriesChanges(database)
        changes.mark = try changes.latestWhatever()
        retentions = try RetentionTable(configuration.retention, database)
        census = try SeriesCensus(configuration.limits, database)
        overflowTable = try OverflowTable(database)
    }

    /// Begins a transaction.
    mutating func begin() {
        settled.removeAll(keepingCapacity: true)
        touched.removeAll(keepingCapacity: true)
        overflow.removeAll(keepingCapacity: true)
        createdCount = 0
        settlingDuration = .zero
        unstored.removeAll(keepingCapacity: true)
        markBefore = changes.mark
    }

    /// Nobody uses these references any more.
    mutating func forget(_ references: [SeriesReference]) {
        for reference in references where Int(reference.rawValue) < entries.count {
            entries[Int(reference.rawValue)] = Entry()
            named[reference] = nil
        }
    }

    /// Says which series new references stand for.
    mutating func define(_ series: [(reference: SeriesReference, labels: Labels)]) {
        for (reference, labels) in series {
            let index = Int(reference.rawValue)
            if index >= entries.count {
                entries.append(contentsOf: repeatElement(Entry(), count: index + 1 - entries.count))
            }
            entries[index] = Entry(id: Entry.named)
            named[reference] = labels
        }
    }

    /// Whether, and from when on, a series' samples are stored. `newest` is the timestamp of its newest sample in hand.
    mutating func standing(of reference: SeriesReference, newest: Timestamp, now: Timestamp) throws -> Standing {
        let index = Int(reference.rawValue)
        precondition(
            index < entries.count && entries[index].id != Entry.undefined,
            "samples of series reference \(reference.rawValue), which no head defined")
        if entries[index].id == Entry.named {
            if let early = try settle(reference, newest, now) { return early }
        }
        let entry = entries[index]
        guard entry.id != Entry.refused else { return .refused }
        return .stored(id: entry.id, firstTaken: retentions.entries[Int(entry.detail)].firstTaken(now: now))
    }

    /// Finds or makes the row of a series; gives what holds when it has none and needs none.
    private mutating func settle(
        _ reference: SeriesReference, _ newest: Timestamp, _ now: Timestamp
    ) throws -> Standing? {
        guard let labels = named[reference] else { return .refused }
        let start = ContinuousClock.now
        defer { settlingDuration += .now - start }
        let index = Int(reference.rawValue)
        if let row = try tables.row(of: labels) {
            entries[index] = Entry(
                id: row.id, lastHour: Self.hour(of: row.lastHour),
                detail: UInt16(retentions.index(ofID: row.retention)))
        } else {
            let retention = retentions.index(of: labels)
            let firstTaken = retentions.entries[retention].firstTaken(now: now)
            // Nothing of it will be stored.
            if newest < firstTaken {
                unstored.append(reference)
                return .stored(id: 0, firstTaken: firstTaken)
            }
            if let cause = try cause(against: labels) {
                entries[index] = Entry(id: Entry.refused, detail: UInt16(cause))
                overflow[cause, default: (0, 0)].series += 1
                unstored.append(reference)
            } else {
                let hour = Resolution.oneHour.windowStart(of: newest)
                let id = changes.takeID()
                try tables.create(id, labels, retention: retentions.entries[retention].id, lastHour: hour)
                entries[index] = Entry(id: id, lastHour: Self.hour(of: hour), detail: UInt16(retention))
                census.count(labels, 1)
                createdCount += 1
            }
        }
        named[reference] = nil
        settled.append((reference, labels))
        return nil
    }

    /// The place in `causes` of the reason against one more series; nil when there is none.
    private mutating func cause(against labels: Labels) throws -> Int? {
        guard let cause = census.limit(against: labels) else { return nil }
        if let known = causes.firstIndex(where: { $0.cause == cause }) { return known }
        let metric = cause.limit == .perSource ? labels.metricName : cause.culprit
        let label = try census.mostVaried(of: metric)
        causes.append(
            SeriesOverflow(
                cause: cause, metric: metric, label: label.name, labelValues: label.values, series: 0, samples: 0))
        return causes.count - 1
    }

    /// Notes that samples of a refused series were not stored.
    mutating func count(refused samples: Int, of reference: SeriesReference) {
        overflow[Int(entries[Int(reference.rawValue)].detail), default: (0, 0)].samples += Int64(samples)
    }

    /// Notes that a series has a sample of this timestamp.
    mutating func stored(_ newest: Timestamp, of reference: SeriesReference) throws {
        let index = Int(reference.rawValue)
        let start = Resolution.oneHour.windowStart(of: newest)
        let hour = Self.hour(of: start)
        guard hour > entries[index].lastHour else { return }
        touched.append((index, entries[index].lastHour))
        entries[index].lastHour = hour
        try tables.set(lastHour: start, of: entries[index].id)
    }

    /// Writes down what was refused in this transaction. Gives it, how many series were created, and the references of
    /// series that turned out to have no row.
    mutating func finish() throws -> (
        created: Int, overflow: [SeriesOverflow], unstored: [SeriesReference]
    ) {
        let refused = overflow.map { index, counts in
            var overflow = causes[index]
            (overflow.series, overflow.samples) = counts
            return overflow
        }
        for overflow in refused { try overflowTable.add(overflow) }
        if createdCount > 0 { try changes.storeNextID() }
        return (createdCount, refused, unstored)
    }

    /// Takes back what was decided since `begin`: nothing of it is in the database.
    mutating func rollBack() {
        for (reference, labels) in settled {
            entries[Int(reference.rawValue)] = Entry(id: Entry.named)
            named[reference] = labels
        }
        for (index, lastHour) in touched.reversed() where entries[index].id > 0 { entries[index].lastHour = lastHour }
        changes.mark = markBefore
        (settled, touched) = ([], [])
    }

    /// Learns what other processes have done to the series of the database, and counts all of them anew if `isDoubtful`.
    /// Part of a transaction, after `begin`.
    mutating func catchUp(_ database: Database, isDoubtful: Bool) throws {
        try retentions.reload(database)
        guard let latest = try changes.latest() else {
            isLost = isLost || !entries.isEmpty
            entries.removeAll()
            named.removeAll()
            try census.reload(database)
            changes.mark = try changes.latestWhatever()
            markBefore = changes.mark
            return
        }
        guard isDoubtful || latest != changes.mark else { return }
        var removed: [Int64: Labels] = [:]
        try changes.forEachRemoved { id, labels in
            removed[id] = labels
            // One that came and went since the last look was never counted.
            if id < changes.mark.nextID { census.count(labels, -1) }
        }
        forget(removed)
        if isDoubtful {
            try census.reload(database)
        } else {
            try changes.forEachCreated { census.count($0, 1) }
        }
        changes.mark = latest
        markBefore = latest
    }

    /// The next commit is the one that is told.
    mutating func checkReferences() throws {
        guard isLost else { return }
        isLost = false
        throw Superseded(reason: .series)
    }

    /// Removes series that have nothing stored any more. Part of a transaction.
    mutating func remove(_ ids: [Int64], now: Timestamp) throws {
        var removed: [Int64: Labels] = [:]
        for id in ids {
            let labels = try tables.remove(id)
            try changes.noteRemoval(of: id, labels, now: now)
            census.count(labels, -1)
            removed[id] = labels
        }
        forget(removed)
    }

    /// These have no row any more; should samples of them come, they get a new one.
    private mutating func forget(_ removed: [Int64: Labels]) {
        guard !removed.isEmpty else { return }
        for index in entries.indices {
            guard let labels = removed[entries[index].id] else { continue }
            entries[index] = Entry(id: Entry.named)
            named[SeriesReference(rawValue: UInt32(index))] = labels
        }
    }

    /// Forgets removals that every other process has had the time to learn of. Part of a transaction; gives whether there
    /// is more to do.
    func forgetRemovals(now: Timestamp) throws -> Bool {
        try changes.forgetSome(now: now)
    }

    /// Samples before this instant go. Part of the transaction that deletes them.
    mutating func raiseFloor(ofRetention index: Int, to instant: Timestamp) throws {
        try retentions.raiseFloor(at: index, to: instant)
    }

    private static func hour(of start: Timestamp) -> Int32 {
        Int32(clamping: start.milliseconds / Resolution.oneHour.milliseconds)
    }
}
