internal import MetricModel

/// `first`: the value of the earliest sample; of several series at one instant the largest, so that their order is no matter.
struct FirstSample: Aggregate {
    private var earliest: Sample?

    mutating func add(_ run: SeriesRun) {
        guard let first = run.samples.first else { return }
        if let earliest, earliest.timestamp < first.timestamp || !first.winsTie(with: earliest) { return }
        earliest = first
    }

    var value: Double? { earliest?.value }
}
