internal import Aggregation
internal import MetricModel
internal import SeriesStore

/// What became of an alert, and whose it is.
struct AlertNotice: Sendable {
    /// The condition, or only its name and text where it is not asked for any more.
    let condition: ThresholdCondition?
    let key: AlertKey
    let conditionText: String
    let event: AlertEvent
}

/// All conditions over all series: matches each series once, follows the samples, and knows which rows the database has to
/// be told about.
///
/// A series is known by a number of its own, since rows of the database name series that this process has not read yet. A
/// plain value without a clock; owned by `Alerts`.
struct AlertEvaluation {
    /// A series that meets the selector of some condition.
    private struct Watched {
        let text: String
        /// The conditions' places, in order.
        let conditions: [Int]
        /// Read from where last.
        var source: SourcePartition
        /// References that stand for it now.
        var references = 0
    }

    private struct Place: Hashable {
        let condition: Int
        let series: Int
    }

    /// Series times conditions that are followed at a time; samples of others are counted, and have no alert.
    static let maximumStatuses = 200_000

    private let maximumStatuses: Int
    private var trackers: [AlertTracker<Int>]
    private var places: [String: Int] = [:]
    private var watched: [Int: Watched] = [:]
    private var numbers: [String: Int] = [:]
    private var nextNumber = 0
    /// By reference: the number of the series, or -1.
    private var byReference: ContiguousArray<Int32> = []
    /// What the next transaction has to write.
    private var touched: Set<Place> = []
    private var forgotten: [AlertKey: SourcePartition] = [:]
    private var owned: Set<SourcePartition> = []
    private var statusCount = 0
    /// Samples that met a selector and were not followed, for there were too many.
    private(set) var unwatchedSamples: Int64 = 0

    init(_ conditions: [ThresholdCondition], maximumStatuses: Int = Self.maximumStatuses) {
        self.maximumStatuses = maximumStatuses
        trackers = conditions.map { AlertTracker($0) }
        for (index, condition) in conditions.enumerated() { places[condition.name] = index }
    }

    /// Series times conditions that are followed now.
    var watchedCount: Int { statusCount }

    // MARK: Partitions

    /// These partitions are read from now on: their alerts go on. Gives the end of those whose condition is another now.
    ///
    /// - Parameter stored: the database's rows, of these and of other partitions.
    mutating func assign(_ partitions: [SourcePartition], stored: [StoredAlert]) -> [AlertNotice] {
        owned.formUnion(partitions)
        let assigned = Set(partitions)
        return stored.filter { assigned.contains($0.source) }.compactMap { restore($0) }
    }

    /// Others read these partitions; what they need to know of them has been stored.
    mutating func unassign(_ partitions: [SourcePartition]) {
        owned.subtract(partitions)
        forgotten = forgotten.filter { owned.contains($0.value) }
        for (number, series) in watched where !owned.contains(series.source) { forgetStatuses(of: number, series) }
    }

    /// What was seen and not stored is seen again: where alerts stand is what the database says.
    mutating func restart(from stored: [StoredAlert]) -> [AlertNotice] {
        touched.removeAll()
        forgotten.removeAll()
        for (number, series) in watched { forgetStatuses(of: number, series) }
        return assign(Array(owned), stored: stored)
    }

    private mutating func forgetStatuses(of number: Int, _ series: Watched) {
        for place in series.conditions where trackers[place].status(of: number) != nil {
            trackers[place].forget(number)
            statusCount -= 1
        }
        release(number)
    }

    private mutating func restore(_ row: StoredAlert) -> AlertNotice? {
        let place = places[row.key.alert]
        guard let place, trackers[place].condition.description == row.condition else {
            forgotten[row.key] = row.source
            let status = row.status
            return status.ended(.conditionChanged, value: status.lastValue, at: status.lastTime).map {
                AlertNotice(
                    condition: place.map { trackers[$0].condition }, key: row.key, conditionText: row.condition,
                    event: $0)
            }
        }
        guard let labels = try? Labels(parsing: row.key.series) else {
            forgotten[row.key] = row.source
            return nil
        }
        let number = number(of: row.key.series, labels, row.source)
        if trackers[place].status(of: number) == nil { statusCount += 1 }
        trackers[place].restore(row.status, of: number)
        return nil
    }

    // MARK: Samples

    /// A reference stands for this series from now on.
    mutating func define(_ reference: SeriesReference, _ labels: Labels, from source: SourcePartition) {
        let index = Int(reference.rawValue)
        if index >= byReference.count {
            byReference.append(contentsOf: repeatElement(-1, count: index + 1 - byReference.count))
        }
        byReference[index] = -1
        guard trackers.contains(where: { $0.condition.matches(labels) }) else { return }
        let number = number(of: labels.description, labels, source)
        watched[number]?.references += 1
        byReference[index] = Int32(truncatingIfNeeded: number)
    }

    /// Nobody uses this reference any more.
    mutating func forget(_ reference: SeriesReference) {
        let index = Int(reference.rawValue)
        guard index < byReference.count, byReference[index] >= 0 else { return }
        let number = Int(byReference[index])
        byReference[index] = -1
        watched[number]?.references -= 1
        release(number)
    }

    /// All references are void.
    mutating func forgetReferences() {
        byReference.removeAll()
        for number in Array(watched.keys) {
            watched[number]?.references = 0
            release(number)
        }
    }

    /// A sample was read. Its time is plausible.
    mutating func observe(
        _ sample: Sample, of reference: SeriesReference, from source: SourcePartition, _ notices: inout [AlertNotice]
    ) {
        let index = Int(reference.rawValue)
        guard index < byReference.count, byReference[index] >= 0 else { return }
        let number = Int(byReference[index])
        guard let series = watched[number] else { return }
        if series.source != source { watched[number]?.source = source }
        for place in series.conditions {
            if trackers[place].status(of: number) == nil {
                guard statusCount < maximumStatuses else {
                    unwatchedSamples += 1
                    continue
                }
                statusCount += 1
            }
            for event in trackers[place].observe(sample, of: number) {
                notices.append(notice(of: series, place, event))
            }
            touched.insert(Place(condition: place, series: number))
        }
    }

    /// Event time went on in the partitions that are read.
    mutating func advance(to eventTime: Timestamp, _ notices: inout [AlertNotice]) {
        for place in trackers.indices {
            let ended = trackers[place].advance(to: eventTime) { number in
                watched[number].map { owned.contains($0.source) } ?? false
            }
            for (number, event) in ended {
                statusCount -= 1
                guard let series = watched[number] else { continue }
                touched.remove(Place(condition: place, series: number))
                forgotten[AlertKey(alert: trackers[place].condition.name, series: series.text)] = series.source
                if let event { notices.append(notice(of: series, place, event)) }
                release(number)
            }
        }
    }

    // MARK: Storing

    /// Writes down what changed since the last call. To be called before the head is taken.
    mutating func record(in head: inout Head) {
        for key in forgotten.keys { head.forgetAlert(key) }
        for place in touched {
            guard let series = watched[place.series], let status = trackers[place.condition].status(of: place.series)
            else { continue }
            head.setAlert(row(of: series, place.condition, status))
        }
        forgotten.removeAll(keepingCapacity: true)
        touched.removeAll(keepingCapacity: true)
    }

    private func row(of series: Watched, _ place: Int, _ status: AlertStatus) -> StoredAlert {
        let condition = trackers[place].condition
        return StoredAlert(
            key: AlertKey(alert: condition.name, series: series.text), condition: condition.description,
            source: series.source, status: status)
    }

    private func notice(of series: Watched, _ place: Int, _ event: AlertEvent) -> AlertNotice {
        let condition = trackers[place].condition
        return AlertNotice(
            condition: condition, key: AlertKey(alert: condition.name, series: series.text),
            conditionText: condition.description, event: event)
    }

    // MARK: Numbers

    private mutating func number(of text: String, _ labels: Labels, _ source: SourcePartition) -> Int {
        if let known = numbers[text] { return known }
        let number = nextNumber
        nextNumber += 1
        numbers[text] = number
        watched[number] = Watched(
            text: text, conditions: trackers.indices.filter { trackers[$0].condition.matches(labels) }, source: source)
        return number
    }

    /// Forgets a series that no reference stands for and of which nothing is known.
    private mutating func release(_ number: Int) {
        guard let series = watched[number], series.references <= 0,
            series.conditions.allSatisfy({ trackers[$0].status(of: number) == nil })
        else { return }
        watched[number] = nil
        numbers[series.text] = nil
    }
}
