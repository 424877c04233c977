public import MetricModel

/// Which windows of one rule are open, closed (at which revision) or dirty, and which have to be evaluated now.
///
///     observe(sample) ─→ open ──watermark passes end + lateness──→ due ─evaluated→ closed, revision 1
///                                                                   ↑                     │
///                                                                   └── late sample: dirty ┘ revision + 1 if it changed
///
/// The ledger knows times only. What a window holds is read from the store when it is evaluated, so a result is a function
/// of the stored samples, whatever order they came in and however often a window was evaluated before. Windows without
/// samples do not appear in it.
///
/// A plain value, owned by whoever commits; `takeChanges()` gives the rows for the transaction that stores the samples.
public struct WindowLedger: Sendable {
    /// What became of a sample.
    public enum Arrival: Hashable, Sendable {
        /// All its windows are open still.
        case onTime
        /// At least one of its windows had closed; that one will be evaluated anew.
        case late
        /// Older than `horizon`: its windows' samples may be gone, so their results stay as they are.
        case tooOld
        /// As many windows are held as may be, and one of its windows is later than them all and far ahead of event time: a
        /// clock that is years ahead. The sample is stored; its window is evaluated when another one comes for it in due time.
        case tooFarAhead
    }

    /// The windows of a rule that are held at most, some MB: half a year of minutes.
    public static let defaultMaximumWindows = 1 << 18
    /// How far ahead of event time a window has to be to give way first when as many are held as may be.
    private static let farAhead: Duration = .seconds(86_400)

    struct Entry {
        var state: LedgerWindow
        var changes: UInt32 = 0
    }

    public let specification: WindowSpecification
    /// How long after its end, in event time, a window stays open.
    public let lateness: Duration
    /// How far behind a window's end samples can still change it: counters are measured from the last sample before.
    public let reach: Duration
    /// How many windows are held at most. Beyond that those far ahead of event time give way, so that samples of the far future
    /// harm only those, and then the oldest, as if raw samples were not kept that long.
    public let maximumWindows: Int
    /// How many windows gave way before they were evaluated: zero unless clocks are wrong or `maximumWindows` is too small.
    public private(set) var abandonedCount = 0
    /// The event time up to which windows have been closed.
    public private(set) var watermark: Timestamp?
    /// Windows that begin before it are forgotten.
    public private(set) var horizon: Timestamp

    /// Sorted by start.
    private var entries: [Entry] = []
    /// The starts of the dirty ones among them, which are few.
    private var dirty: Set<Timestamp> = []
    /// The starts of those whose stored rows differ.
    private var unsaved: Set<Timestamp> = []
    /// The last pane (a span of `every`) observed, where nothing more has to be noted: most samples fall into it.
    private var notedPane: ClosedRange<Int64>?
    private var hasUnsavedProgress = false

    /// - Parameters:
    ///   - reach: samples up to this long before a window change it as well, zero where only its own do.
    ///   - windows: as stored, in any order; of each start one.
    ///   - watermark, horizon: as stored.
    public init(
        specification: WindowSpecification, lateness: Duration, reach: Duration = .zero,
        windows: some Sequence<LedgerWindow> = [], watermark: Timestamp? = nil,
        horizon: Timestamp = Timestamp(milliseconds: .min), maximumWindows: Int = defaultMaximumWindows
    ) {
        self.specification = specification
        self.lateness = lateness
        self.reach = reach
        self.maximumWindows = maximumWindows
        self.watermark = watermark
        self.horizon = horizon
        entries = windows.map { Entry(state: $0) }.sorted { $0.state.start < $1.state.start }
        dirty = Set(windows.lazy.filter(\.isDirty).map(\.start))
    }

    /// All windows, in order of time.
    public var windows: [LedgerWindow] { entries.map(\.state) }

    // MARK: Samples come

    /// Notes that a sample of a matching series was stored. Cheap when the sample before was of about the same time.
    @discardableResult
    public mutating func observe(_ time: Timestamp) -> Arrival {
        if let notedPane, notedPane.contains(time.milliseconds) { return .onTime }
        var arrival = Arrival.tooOld
        for window in specification.windows(containing: time) where window.start >= horizon {
            guard note(window.start) else {
                let isOldest = entries.first.map { window.start < $0.state.start } ?? false
                return isOldest ? .tooOld : .tooFarAhead
            }
            if isPast(window) { arrival = .late } else if arrival == .tooOld { arrival = .onTime }
        }
        if arrival == .onTime { remember(paneOf: time) } else { markReached(by: time) }
        return arrival
    }

    /// Whether a window's end and the lateness after it lie behind the watermark.
    private func isPast(_ window: Window) -> Bool {
        watermark.map { window.end + lateness <= $0 } ?? false
    }

    /// Notes that a window has a sample; false when there is no room for it.
    private mutating func note(_ start: Timestamp) -> Bool {
        let index = firstIndex(startingAtOrAfter: start)
        if index < entries.count, entries[index].state.start == start {
            touch(index)
            return true
        }
        guard entries.count < maximumWindows || makeRoom(for: start) else { return false }
        let state = LedgerWindow(start: start, revision: 0, digest: 0, isClosed: false, isDirty: true)
        entries.insert(Entry(state: state), at: firstIndex(startingAtOrAfter: start))
        dirty.insert(start)
        unsaved.insert(start)
        return true
    }

    /// Drops one window; false when the new one is the one to do without.
    private mutating func makeRoom(for start: Timestamp) -> Bool {
        guard let first = entries.first?.state, let last = entries.last?.state else { return false }
        let isFarAhead = watermark.map { max(start, last.start) > $0 + Self.farAhead } ?? true
        guard isFarAhead else {
            if start < first.start || !first.isClosed { abandonedCount += 1 }
            guard start > first.start else { return false }
            forget(before: first.start + .milliseconds(1))
            return true
        }
        abandonedCount += 1
        guard start < last.start else { return false }
        entries.removeLast()
        dirty.remove(last.start)
        unsaved.remove(last.start)
        notedPane = nil
        return true
    }

    /// Notes that a window's samples are not those of its last result.
    private mutating func touch(_ index: Int) {
        entries[index].changes &+= 1
        guard !entries[index].state.isDirty else { return }
        entries[index].state.isDirty = true
        dirty.insert(entries[index].state.start)
        unsaved.insert(entries[index].state.start)
    }

    /// A late sample may be the last one before windows that follow.
    private mutating func markReached(by time: Timestamp) {
        guard reach > .zero else { return }
        let limit = time + reach
        var index = firstIndex(startingAtOrAfter: time + .milliseconds(1))
        while index < entries.count, entries[index].state.start <= limit {
            if entries[index].state.isClosed { touch(index) }
            index += 1
        }
    }

    private mutating func remember(paneOf time: Timestamp) {
        let start = specification.lastStart(at: time).milliseconds
        let (end, overflow) = start.addingReportingOverflow(specification.everyMilliseconds - 1)
        notedPane = overflow ? nil : start...end
    }

    // MARK: Event time goes on

    /// Moves event time on and says which windows have to be evaluated, the oldest first: those that end now, and closed
    /// ones that samples came late for. They are due until `evaluated` says otherwise. The watermark never goes back.
    public mutating func advance(to eventTime: Timestamp) -> [DueWindow] {
        move(to: eventTime)
        return dueWindows
    }

    /// The same, for whoever asks for ``dueWindows`` at another time.
    public mutating func move(to eventTime: Timestamp) {
        guard watermark.map({ eventTime > $0 }) ?? true else { return }
        watermark = eventTime
        hasUnsavedProgress = true
        notedPane = nil
    }

    /// The windows that have to be evaluated as things stand.
    public var dueWindows: [DueWindow] {
        let windows = dirty.map(specification.window(startingAt:)).filter(isPast)
        return windows.sorted { $0.start < $1.start }.map { window in
            let entry = entries[firstIndex(startingAtOrAfter: window.start)]
            return DueWindow(
                window: window, previousRevision: entry.state.isClosed ? entry.state.revision : nil,
                changes: entry.changes)
        }
    }

    /// Notes a window's result.
    ///
    /// - Parameter digest: of the result, ``RuleResult/digest``; 0 says that there is no output at all.
    /// - Returns: the revision under which to emit the result; nil when it is what was emitted last, or nothing.
    public mutating func evaluated(_ due: DueWindow, digest: UInt64) -> Int? {
        // Forgotten meanwhile: its samples are going away.
        guard let outcome = outcome(of: due, digest: digest) else { return nil }
        settle(outcome)
        unsaved.insert(outcome.window.start)
        return outcome.revision
    }

    /// What a result makes of a window: the row to store, and the revision under which to emit it, if at all.
    public struct Outcome: Hashable, Sendable {
        public let window: LedgerWindow
        public let revision: Int?
    }

    /// What a result would make of a window, as ``evaluated(_:digest:)`` notes it: for storing it first, and then to
    /// ``settle(_:)``. Nil when the window was forgotten.
    ///
    /// - Parameter isPartial: the result is going to be stored in parts. If it is to be emitted the window stays dirty until
    ///   its ``completion(of:)`` is stored with the last of them.
    public func outcome(of due: DueWindow, digest: UInt64, isPartial: Bool = false) -> Outcome? {
        guard let entry = entry(startingAt: due.window.start) else { return nil }
        var state = entry.state
        let isChanged = digest != state.digest || state.isPartial
        state.isPartial = isPartial && isChanged
        state.isDirty = entry.changes != due.changes || state.isPartial
        state.isClosed = true
        state.digest = digest
        if isChanged { state.revision += 1 }
        return Outcome(window: state, revision: isChanged ? state.revision : nil)
    }

    /// What becomes of a window when the last part of its result is stored. Nil when it was forgotten.
    public func completion(of due: DueWindow) -> Outcome? {
        guard let entry = entry(startingAt: due.window.start) else { return nil }
        var state = entry.state
        state.isPartial = false
        state.isDirty = entry.changes != due.changes
        return Outcome(window: state, revision: state.revision)
    }

    /// An outcome is stored.
    public mutating func settle(_ outcome: Outcome) {
        let start = outcome.window.start
        let index = firstIndex(startingAtOrAfter: start)
        guard index < entries.count, entries[index].state.start == start else { return }
        entries[index].state = outcome.window
        if outcome.window.isDirty { dirty.insert(start) } else { dirty.remove(start) }
    }

    private func entry(startingAt start: Timestamp) -> Entry? {
        let index = firstIndex(startingAtOrAfter: start)
        guard index < entries.count, entries[index].state.start == start else { return nil }
        return entries[index]
    }

    /// Drops the windows that begin before an instant: the oldest one for which raw samples are kept, and further back
    /// where `reach` needs them. They are not evaluated again.
    public mutating func forget(before instant: Timestamp) {
        guard instant > horizon else { return }
        horizon = instant
        hasUnsavedProgress = true
        notedPane = nil
        let count = firstIndex(startingAtOrAfter: instant)
        for entry in entries[..<count] {
            dirty.remove(entry.state.start)
            unsaved.remove(entry.state.start)
        }
        entries.removeFirst(count)
    }

    // MARK: Stored

    /// Whether a window has changed since its row was stored.
    public var hasUnsavedWindows: Bool { !unsaved.isEmpty }

    /// What has to be stored since the last time. If storing it fails, `putBack` has it stored the next time.
    public mutating func takeChanges() -> Changes {
        let windows = unsaved.sorted().map { entries[firstIndex(startingAtOrAfter: $0)].state }
        defer {
            unsaved.removeAll()
            hasUnsavedProgress = false
        }
        return Changes(windows: windows, watermark: watermark, horizon: horizon, hasProgress: hasUnsavedProgress)
    }

    /// Changes that were taken and could not be stored.
    public mutating func putBack(_ changes: Changes) {
        for window in changes.windows where window.start >= horizon { unsaved.insert(window.start) }
        hasUnsavedProgress = hasUnsavedProgress || changes.hasProgress
    }

    /// Rows to write: `windows` to insert or replace by start, those that begin before `horizon` to delete.
    public struct Changes: Hashable, Sendable {
        public let windows: [LedgerWindow]
        public let watermark: Timestamp?
        public let horizon: Timestamp
        /// Whether watermark or horizon moved.
        public let hasProgress: Bool

        public var isEmpty: Bool { windows.isEmpty && !hasProgress }
    }

    private func firstIndex(startingAtOrAfter start: Timestamp) -> Int {
        // Nearly always at the end.
        if let last = entries.last, last.state.start < start { return entries.count }
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].state.start < start { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
