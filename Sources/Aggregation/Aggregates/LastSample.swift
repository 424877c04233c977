internal import MetricModel

/// `last`: the value of the latest sample; of several series at one instant the largest, so that their order is no matter.
struct LastSample: Aggregate {
    private var latest: Sample?

    mutating func add(_ run: SeriesRun) {
        guard let last = run.samples.last else { return }
        if let latest, latest.timestamp > last.timestamp || !last.winsTie(with: latest) { return }
        latest = last
    }

    var value: Double? { latest?.value }
}

extension Sample {
    /// Whether to take this sample rather than another one: always when their times differ, else when it is larger.
    func winsTie(with other: Sample) -> Bool {
        timestamp != other.timestamp || value > other.value || (other.value.isNaN && !value.isNaN)
    }
}
