import Aggregation
import MetricModel
import TestKit
import Testing

@Suite("The ledger of a rule's windows")
struct WindowLedgerTests {
    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }

    private func ledger(lateness: Int64 = 10, reach: Int64 = 0, every: Int64 = 60) throws -> WindowLedger {
        WindowLedger(
            specification: try WindowSpecification(interval: .seconds(60), every: .seconds(every)),
            lateness: .seconds(lateness), reach: .seconds(reach))
    }

    private func starts(_ due: [DueWindow]) -> [Int64] { due.map { $0.window.start.milliseconds / 1000 } }

    @Test("a window is due when the watermark has passed its end by the lateness, and until it was evaluated")
    func closing() throws {
        var ledger = try ledger()
        #expect(ledger.observe(time(5)) == .onTime)
        #expect(ledger.observe(time(65)) == .onTime)
        #expect(ledger.advance(to: time(69)).isEmpty)
        let due = ledger.advance(to: time(70))
        #expect(starts(due) == [0])
        #expect(due[0].previousRevision == nil)
        #expect(starts(ledger.advance(to: time(71))) == [0], "until it was evaluated")
        #expect(ledger.evaluated(due[0], digest: 7) == 1)
        #expect(ledger.advance(to: time(72)).isEmpty)
        #expect(starts(ledger.advance(to: time(1000))) == [60], "windows without samples do not appear")
    }

    @Test("a late sample makes its window due again; a changed result has a higher revision, an equal one none")
    func late() throws {
        var ledger = try ledger()
        ledger.observe(time(5))
        let first = ledger.advance(to: time(100))
        #expect(ledger.evaluated(first[0], digest: 7) == 1)
        #expect(ledger.observe(time(6)) == .late)
        let second = ledger.dueWindows
        #expect(second.map(\.previousRevision) == [1])
        #expect(ledger.evaluated(second[0], digest: 8) == 2)
        #expect(ledger.observe(time(7)) == .late)
        #expect(ledger.evaluated(ledger.dueWindows[0], digest: 8) == nil)
        #expect(ledger.dueWindows.isEmpty)
        #expect(ledger.windows.map(\.revision) == [2])
    }

    @Test("a sample for a window that nobody had seen is late, and the window is due at once")
    func lateAndNew() throws {
        var ledger = try ledger()
        _ = ledger.advance(to: time(1000))
        #expect(ledger.observe(time(5)) == .late)
        let due = ledger.dueWindows
        #expect(starts(due) == [0])
        #expect(due[0].previousRevision == nil)
        #expect(ledger.evaluated(due[0], digest: 1) == 1)
    }

    @Test("a sample that comes between reading and evaluating is not forgotten")
    func race() throws {
        var ledger = try ledger()
        ledger.observe(time(5))
        let due = ledger.advance(to: time(100))
        ledger.observe(time(6))
        #expect(ledger.evaluated(due[0], digest: 7) == 1)
        #expect(starts(ledger.dueWindows) == [0])
        #expect(ledger.evaluated(ledger.dueWindows[0], digest: 9) == 2)
        #expect(ledger.dueWindows.isEmpty)
    }

    @Test("an empty result is not emitted, and counts as evaluated")
    func empty() throws {
        var ledger = try ledger()
        ledger.observe(time(5))
        #expect(ledger.evaluated(ledger.advance(to: time(100))[0], digest: 0) == nil)
        #expect(ledger.windows.map(\.isClosed) == [true])
        ledger.observe(time(6))
        #expect(ledger.dueWindows.map(\.previousRevision) == [0])
        #expect(ledger.evaluated(ledger.dueWindows[0], digest: 3) == 1)
    }

    @Test("with sliding windows a sample belongs to all that hold it, closed and open ones")
    func sliding() throws {
        var ledger = try ledger(lateness: 0, every: 20)
        #expect(ledger.observe(time(50)) == .onTime)
        #expect(ledger.windows.map { $0.start.milliseconds / 1000 } == [0, 20, 40])
        let due = ledger.advance(to: time(80))
        #expect(starts(due) == [0, 20])
        for window in due { #expect(ledger.evaluated(window, digest: 1) == 1) }
        #expect(ledger.observe(time(55)) == .late)
        #expect(starts(ledger.dueWindows) == [0, 20])
    }

    @Test("counters: a late sample may be the last one before the windows after it")
    func reach() throws {
        var ledger = try ledger(lateness: 0, reach: 120)
        for second in stride(from: 5, to: 400, by: 10) as StrideTo<Int64> { ledger.observe(time(second)) }
        for due in ledger.advance(to: time(360)) { _ = ledger.evaluated(due, digest: 1) }
        #expect(ledger.observe(time(50)) == .late)
        // [60, 120) and [120, 180) begin within two minutes of it; the open ones need no note.
        #expect(starts(ledger.dueWindows) == [0, 60, 120])
        for due in ledger.dueWindows { #expect(ledger.evaluated(due, digest: 1) == nil) }
    }

    @Test("what is older than the horizon is forgotten and stays as it is")
    func forgetting() throws {
        var ledger = try ledger(lateness: 0)
        for second in [5, 65, 125] as [Int64] { ledger.observe(time(second)) }
        let due = ledger.advance(to: time(200))
        ledger.forget(before: time(60))
        #expect(ledger.evaluated(due[0], digest: 1) == nil, "its samples are going away")
        #expect(starts(ledger.dueWindows) == [60, 120])
        #expect(ledger.observe(time(59)) == .tooOld)
        #expect(ledger.windows.count == 2)
    }

    @Test("windows of the far future give way to those of today, so that a wrong clock cannot fill the ledger")
    func limit() throws {
        var ledger = WindowLedger(
            specification: try WindowSpecification(interval: .seconds(60)), lateness: .zero, maximumWindows: 5)
        for minute in 1...5 as ClosedRange<Int64> { #expect(ledger.observe(time(1_000_000 + minute * 60)) == .onTime) }
        #expect(ledger.observe(time(2_000_000)) == .tooFarAhead)
        for minute in 0...3 as ClosedRange<Int64> { #expect(ledger.observe(time(minute * 60)) == .onTime) }
        #expect(ledger.windows.count == 5)
        let due = ledger.advance(to: time(240))
        #expect(starts(due) == [0, 60, 120, 180])
        for window in due { #expect(ledger.evaluated(window, digest: 1) == 1) }
        #expect(ledger.takeChanges().windows.count == 5)
        #expect(ledger.abandonedCount == 5)
    }

    @Test("where more windows are kept than may be, the oldest are forgotten, and new ones go on")
    func limitOfTheOldest() throws {
        var ledger = WindowLedger(
            specification: try WindowSpecification(interval: .seconds(60)), lateness: .zero, maximumWindows: 5)
        for minute in 0..<20 as Range<Int64> {
            #expect(ledger.observe(time(minute * 60)) == .onTime)
            for due in ledger.advance(to: time(minute * 60 + 59)) { #expect(ledger.evaluated(due, digest: 1) == 1) }
        }
        #expect(ledger.windows.map { $0.start.milliseconds / 60_000 } == [15, 16, 17, 18, 19])
        #expect(ledger.observe(time(0)) == .tooOld)
        #expect(ledger.abandonedCount == 0)
    }

    @Test("the watermark never goes back")
    func monotonic() throws {
        var ledger = try ledger(lateness: 0)
        _ = ledger.advance(to: time(100))
        _ = ledger.advance(to: time(50))
        #expect(ledger.watermark == time(100))
        #expect(ledger.observe(time(30)) == .late)
    }

    /// Rows as a store keeps them.
    private struct Store {
        var windows: [Timestamp: LedgerWindow] = [:]
        var watermark: Timestamp?
        var horizon = Timestamp(milliseconds: .min)

        mutating func apply(_ changes: WindowLedger.Changes) {
            for window in changes.windows { windows[window.start] = window }
            windows = windows.filter { $0.key >= changes.horizon }
            watermark = changes.watermark
            horizon = changes.horizon
        }
    }

    @Test("a ledger made of its stored rows goes on as if nothing had happened, at any moment")
    func restarts() throws {
        var random = SeededGenerator()
        for _ in 0..<60 {
            var straight = try ledger(lateness: 5, reach: 90, every: 20)
            var restarted = straight
            var store = Store()
            var now: Int64 = 0
            for _ in 0..<80 {
                now += Int64.random(in: 0...20, using: &random)
                let seconds = max(0, now - Int64.random(in: 0...200, using: &random))
                #expect(straight.observe(time(seconds)) == restarted.observe(time(seconds)))
                if Int.random(in: 0..<4, using: &random) == 0 { store.apply(restarted.takeChanges()) }
                if Int.random(in: 0..<8, using: &random) == 0 {
                    // A transaction that failed.
                    restarted.putBack(restarted.takeChanges())
                }
                if Int.random(in: 0..<3, using: &random) == 0 {
                    let digest = UInt64.random(in: 1...3, using: &random)
                    let due = straight.advance(to: time(now))
                    let sameDue = restarted.advance(to: time(now))
                    #expect(due.map(\.window) == sameDue.map(\.window))
                    for (one, other) in zip(due, sameDue) {
                        #expect(straight.evaluated(one, digest: digest) == restarted.evaluated(other, digest: digest))
                    }
                }
                if Int.random(in: 0..<20, using: &random) == 0 {
                    straight.forget(before: time(now - 400))
                    restarted.forget(before: time(now - 400))
                }
                if Int.random(in: 0..<5, using: &random) == 0 {
                    store.apply(restarted.takeChanges())
                    restarted = WindowLedger(
                        specification: restarted.specification, lateness: restarted.lateness, reach: restarted.reach,
                        windows: store.windows.values.shuffled(using: &random), watermark: store.watermark,
                        horizon: store.horizon)
                }
                #expect(straight.windows == restarted.windows)
            }
        }
    }
}
