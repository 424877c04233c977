internal import Glibc

/// A point in time: whole milliseconds since 1970-01-01T00:00:00Z, as Kafka and Prometheus count it.
///
/// Timestamps come from other machines, so arithmetic saturates at the ends of `Int64` instead of trapping.
public struct Timestamp: Hashable, Sendable {
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// The wall clock's time, cut to milliseconds.
    public static func now() -> Timestamp {
        // Read as words: which Clang module declares timespec's fields depends on what was imported before, and in a
        // release build of this module alone the compiler takes it for one that cannot be imported.
        withUnsafeTemporaryAllocation(of: timespec.self, capacity: 1) { time in
            guard let start = time.baseAddress, clock_gettime(CLOCK_REALTIME, start) == 0 else {
                return Timestamp(milliseconds: 0)
            }
            let words = UnsafeRawPointer(start)
            let seconds = Int64(words.load(as: time_t.self))
            let nanoseconds = Int64(words.load(fromByteOffset: MemoryLayout<time_t>.size, as: Int.self))
            return Timestamp(milliseconds: seconds * 1000 + nanoseconds / 1_000_000)
        }
    }

    public static func + (timestamp: Timestamp, duration: Duration) -> Timestamp {
        let (sum, overflow) = timestamp.milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        guard overflow else { return Timestamp(milliseconds: sum) }
        return Timestamp(milliseconds: duration < .zero ? .min : .max)
    }

    public static func - (timestamp: Timestamp, duration: Duration) -> Timestamp {
        let (difference, overflow) = timestamp.milliseconds.subtractingReportingOverflow(duration.wholeMilliseconds)
        guard overflow else { return Timestamp(milliseconds: difference) }
        return Timestamp(milliseconds: duration < .zero ? .max : .min)
    }

    /// The time from `other` to `timestamp`.
    public static func - (timestamp: Timestamp, other: Timestamp) -> Duration {
        let (difference, overflow) = timestamp.milliseconds.subtractingReportingOverflow(other.milliseconds)
        guard overflow else { return .milliseconds(difference) }
        return .milliseconds(timestamp < other ? Int64.min : Int64.max)
    }

    public static func += (timestamp: inout Timestamp, duration: Duration) {
        timestamp = timestamp + duration
    }

    public static func -= (timestamp: inout Timestamp, duration: Duration) {
        timestamp = timestamp - duration
    }
}

extension Timestamp: Comparable {
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC, `2026-02-28T23:59:59.250Z`; milliseconds alone outside the years 0 to 9999.
    public var description: String {
        let (day, millisecondOfDay) = Self.floorDivide(milliseconds, 86_400_000)
        // Days to a civil date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        let (era, dayOfEra) = Self.floorDivide(day + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        guard (0...9999).contains(year) else { return "\(milliseconds) ms" }
        let date = "\(Self.padded(year, 4))-\(Self.padded(month, 2))-\(Self.padded(dayOfMonth, 2))"
        let hour = Self.padded(millisecondOfDay / 3_600_000, 2)
        let minute = Self.padded(millisecondOfDay / 60_000 % 60, 2)
        let second = Self.padded(millisecondOfDay / 1000 % 60, 2)
        return "\(date)T\(hour):\(minute):\(second).\(Self.padded(millisecondOfDay % 1000, 3))Z"
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
