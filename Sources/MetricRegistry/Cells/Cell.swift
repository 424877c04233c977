/// Where one series' value is kept. Owned by the registry and by whoever has a handle on it; safe on any thread, without
/// locks.
protocol Cell: AnyObject, Sendable {
    var reading: CellReading { get }
}

/// What a cell holds at one moment.
enum CellReading: Sendable {
    case value(Double)
    /// - Parameters:
    ///   - bounds: the upper bounds of the buckets but the last one, which has none.
    ///   - counts: of each bucket alone, not of those below it.
    case histogram(bounds: [Double], counts: [Int], sum: Double)
}
