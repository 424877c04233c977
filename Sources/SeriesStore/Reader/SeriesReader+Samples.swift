internal import GRDB
public import MetricModel

extension SeriesReader {
    /// The samples of some series with `from <= timestamp < to`, each series' in order of time. Series without any
    /// are left out.
    public func samples(
        of series: some Collection<SeriesID>, from: Timestamp, to: Timestamp
    ) throws(StoreError) -> [SeriesID: [Sample]] {
        let wanted = Set(series)
        if wanted.isEmpty || from >= to { return [:] }
        return try read { database in
            var samples: [SeriesID: [Sample]] = [:]
            let rows = try PreparedStatement(
                "SELECT series_id, timestamp, value FROM sample WHERE timestamp >= ? AND timestamp < ?", on: database)
            rows.bind(from.milliseconds, at: 1)
            rows.bind(to.milliseconds, at: 2)
            while try rows.step() {
                let id = SeriesID(rows.integer(0))
                guard wanted.contains(id) else { continue }
                samples[id, default: []].append(
                    Sample(timestamp: Timestamp(milliseconds: rows.integer(1)), value: rows.sampleValue(2)))
            }
            return samples
        }
    }
}
