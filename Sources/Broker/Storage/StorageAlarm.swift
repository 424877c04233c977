import NIOCore

/// Decides what the log is told while records cannot be stored, so that a full disk does not fill with lines about
/// itself: one line when it begins, a count every minute while it goes on, one when it is over. A pure value, owned by
/// `DiskSpace`.
struct StorageAlarm {
    enum News: Equatable {
        case began
        /// Records were refused so many times since the last line.
        case goesOn(refusals: Int)
        /// Records were refused so many times in all.
        case ended(refusals: Int, after: TimeAmount)
    }

    static let interval = TimeAmount.minutes(1)

    private struct Trouble {
        let began: NIODeadline
        var last: NIODeadline
        var lastLine: NIODeadline
        var refusals = 0
        var refusalsSinceLine = 0
    }

    private var trouble: Trouble?

    var isOn: Bool { self.trouble != nil }

    /// Records cannot be stored.
    ///
    /// - Parameter refusals: how many batches were refused just now.
    mutating func trouble(refusals: Int, now: NIODeadline) -> News? {
        guard var trouble else {
            self.trouble = Trouble(began: now, last: now, lastLine: now, refusals: refusals)
            return .began
        }
        trouble.last = now
        trouble.refusals += refusals
        trouble.refusalsSinceLine += refusals
        var news: News?
        if now - trouble.lastLine >= Self.interval, trouble.refusalsSinceLine > 0 {
            news = .goesOn(refusals: trouble.refusalsSinceLine)
            trouble.lastLine = now
            trouble.refusalsSinceLine = 0
        }
        self.trouble = trouble
        return news
    }

    /// Records can be stored.
    ///
    /// - Parameter quiet: how long there must have been no trouble before it counts as over.
    mutating func allIsWell(quiet: TimeAmount = .zero, now: NIODeadline) -> News? {
        guard let trouble, now - trouble.last >= quiet else { return nil }
        self.trouble = nil
        return .ended(refusals: trouble.refusals, after: now - trouble.began)
    }
}
