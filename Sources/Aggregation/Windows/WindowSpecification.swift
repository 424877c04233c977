public import MetricModel

/// Which windows a rule has: as wide as `interval`, one beginning at each multiple of `every` since the epoch.
///
///     interval 1m, every 1m    tumbling    |──────|──────|──────|      each instant is in one window
///     interval 1m, every 20s   sliding     |──────|                    each instant is in three
///                                            |──────|
///                                              |──────|
///
/// Windows are `[start, end)`, aligned to the epoch in UTC. Arithmetic saturates at the ends of time.
public struct WindowSpecification: Hashable, Sendable {
    /// In how many windows one instant may lie at most: a day every minute.
    public static let maximumOverlap = 1440

    /// The width of a window, in milliseconds.
    public let intervalMilliseconds: Int64
    /// From one window's start to the next one's, in milliseconds.
    public let everyMilliseconds: Int64

    public var interval: Duration { .milliseconds(intervalMilliseconds) }
    public var every: Duration { .milliseconds(everyMilliseconds) }
    /// Whether each instant is in one window only.
    public var isTumbling: Bool { everyMilliseconds == intervalMilliseconds }
    /// In how many windows each instant lies.
    public var overlap: Int { Int(intervalMilliseconds / everyMilliseconds) }

    /// Tumbling windows.
    public init(interval: Duration) throws(WindowSpecificationError) {
        try self.init(interval: interval, every: interval)
    }

    /// Tumbling windows where `every` equals `interval`, sliding ones where it is shorter.
    public init(interval: Duration, every: Duration) throws(WindowSpecificationError) {
        guard interval == .milliseconds(interval.wholeMilliseconds), interval >= .seconds(1) else {
            throw .interval(interval)
        }
        let width = interval.wholeMilliseconds
        let step = every.wholeMilliseconds
        guard every == .milliseconds(step), step > 0, step <= width, width % step == 0 else {
            throw .every(every, interval: interval)
        }
        guard width / step <= Self.maximumOverlap else {
            throw .overlap(windows: width / step, every: every, interval: interval)
        }
        intervalMilliseconds = width
        everyMilliseconds = step
    }

    /// The window that begins at an instant, which has to be a multiple of `every`.
    public func window(startingAt start: Timestamp) -> Window {
        Window(start: start, end: start + interval)
    }

    /// The start of the last window that begins at or before an instant.
    public func lastStart(at instant: Timestamp) -> Timestamp {
        let remainder = instant.milliseconds % everyMilliseconds
        let sinceStart = remainder < 0 ? remainder + everyMilliseconds : remainder
        return instant - .milliseconds(sinceStart)
    }

    /// The windows that hold an instant, in order of time.
    public func windows(containing instant: Timestamp) -> Windows {
        Windows(self, containing: instant)
    }

    /// The windows of one instant, in order of time. Near the ends of time there are fewer.
    public struct Windows: Sequence, IteratorProtocol, Sendable {
        private let specification: WindowSpecification
        private let last: Int64
        private var following: Int64?

        init(_ specification: WindowSpecification, containing instant: Timestamp) {
            self.specification = specification
            last = specification.lastStart(at: instant).milliseconds
            let reach = specification.intervalMilliseconds - specification.everyMilliseconds
            let (first, overflow) = last.subtractingReportingOverflow(reach)
            following = overflow ? last : first
        }

        public mutating func next() -> Window? {
            guard let start = following else { return nil }
            let (after, overflow) = start.addingReportingOverflow(specification.everyMilliseconds)
            following = overflow || after > last ? nil : after
            return specification.window(startingAt: Timestamp(milliseconds: start))
        }
    }
}

extension WindowSpecification: CustomStringConvertible {
    /// `1m`, or `5m_every_30s` for sliding windows: the part of a series' name that tells the window.
    public var description: String {
        isTumbling ? interval.shortText : "\(interval.shortText)_every_\(every.shortText)"
    }
}

/// Why two durations make no windows.
public enum WindowSpecificationError: Error, Hashable, CustomStringConvertible {
    case interval(Duration)
    case every(Duration, interval: Duration)
    case overlap(windows: Int64, every: Duration, interval: Duration)

    public var description: String {
        switch self {
        case .interval(let interval):
            "an interval of \(interval.shortText) is too short; windows are whole milliseconds wide, at least 1s"
        case .every(let every, let interval):
            "an interval of \(interval.shortText) is no multiple of every \(every.shortText); "
                + "take one that divides it, such as \((interval / 2).shortText), or leave every out"
        case .overlap(let windows, let every, let interval):
            "with an interval of \(interval.shortText) every \(every.shortText) each sample would be in \(windows) windows; "
                + "at most \(WindowSpecification.maximumOverlap) are allowed"
        }
    }
}
