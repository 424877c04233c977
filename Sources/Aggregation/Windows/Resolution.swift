public import MetricModel

/// The widths windows are kept in. Windows are aligned to the epoch in UTC, so hours of zones that are half an
/// hour off do not coincide with windows.
public enum Resolution: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
    case oneMinute = "1m"
    case oneHour = "1h"

    public var duration: Duration { .milliseconds(milliseconds) }

    /// The width in milliseconds.
    public var milliseconds: Int64 {
        switch self {
        case .oneMinute: 60_000
        case .oneHour: 3_600_000
        }
    }

    public var description: String { rawValue }

    /// The start of the window that holds an instant. Near the end of `Int64` it saturates.
    public func windowStart(of timestamp: Timestamp) -> Timestamp {
        let instant = timestamp.milliseconds
        let remainder = instant % milliseconds
        let sinceStart = remainder < 0 ? remainder + milliseconds : remainder
        let (start, overflow) = instant.subtractingReportingOverflow(sinceStart)
        return Timestamp(milliseconds: overflow ? .min : start)
    }

    /// The window that holds an instant.
    public func window(containing timestamp: Timestamp) -> Window {
        Window(start: windowStart(of: timestamp), resolution: self)
    }
}
