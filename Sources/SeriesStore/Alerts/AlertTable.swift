internal import Aggregation
internal import GRDB
internal import MetricModel

/// The table `alert_status`. Owned by the `SeriesWriter`, used on its connection only.
struct AlertTable {
    private let put: PreparedStatement
    private let delete: PreparedStatement

    init(_ database: Database) throws {
        put = try PreparedStatement(
            """
            INSERT INTO alert_status
                (alert, series, condition, topic, "partition", state, active_since, fired_at, last_time, last_value)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET condition = excluded.condition, topic = excluded.topic,
                "partition" = excluded."partition", state = excluded.state, active_since = excluded.active_since,
                fired_at = excluded.fired_at, last_time = excluded.last_time, last_value = excluded.last_value
            """, on: database)
        delete = try PreparedStatement("DELETE FROM alert_status WHERE alert = ? AND series = ?", on: database)
    }

    /// Part of a transaction. A key without an alert is not watched any more.
    func store(_ alerts: [AlertKey: StoredAlert?]) throws {
        for (key, alert) in alerts {
            guard let alert else {
                delete.bind(key.alert, at: 1)
                delete.bind(key.series, at: 2)
                try delete.run()
                continue
            }
            put.bind(key.alert, at: 1)
            put.bind(key.series, at: 2)
            put.bind(alert.condition, at: 3)
            put.bind(alert.source.topic, at: 4)
            put.bind(Int64(alert.source.partition), at: 5)
            let (state, since, firedAt) = Self.columns(alert.status.stage)
            put.bind(state, at: 6)
            put.bind(since, at: 7)
            put.bind(firedAt, at: 8)
            put.bind(alert.status.lastTime.milliseconds, at: 9)
            put.bind(alert.status.lastValue, at: 10)
            try put.run()
        }
    }

    static func read(_ database: Database) throws -> [StoredAlert] {
        let rows = try PreparedStatement(
            """
            SELECT alert, series, condition, topic, "partition", state, active_since, fired_at, last_time, last_value
            FROM alert_status
            """, on: database)
        var alerts: [StoredAlert] = []
        while try rows.step() {
            let since = Timestamp(milliseconds: rows.integer(6))
            let stage: AlertStatus.Stage =
                switch rows.text(5) {
                case "pending": .pending(since: since)
                case "firing": .firing(since: since, firedAt: Timestamp(milliseconds: rows.integer(7)))
                default: .inactive
                }
            alerts.append(
                StoredAlert(
                    key: AlertKey(alert: rows.text(0), series: rows.text(1)), condition: rows.text(2),
                    source: SourcePartition(topic: rows.text(3), partition: Int32(clamping: rows.integer(4))),
                    status: AlertStatus(
                        stage: stage, lastTime: Timestamp(milliseconds: rows.integer(8)),
                        lastValue: rows.sampleValue(9))))
        }
        return alerts
    }

    /// Times that mean nothing in a stage are 0, which the view does not show.
    private static func columns(_ stage: AlertStatus.Stage) -> (state: String, since: Int64, firedAt: Int64) {
        switch stage {
        case .inactive: ("inactive", 0, 0)
        case .pending(let since): ("pending", since.milliseconds, 0)
        case .firing(let since, let firedAt): ("firing", since.milliseconds, firedAt.milliseconds)
        }
    }
}
