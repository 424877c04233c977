import Aggregation
import GRDB
import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct AlertStorageTests {
    private func alert(_ series: String, _ stage: AlertStatus.Stage, value: Double = 9) -> StoredAlert {
        StoredAlert(
            key: AlertKey(alert: "High \"load\"", series: series), condition: "load > 8",
            source: SourcePartition(topic: "metrics.load", partition: 3),
            status: AlertStatus(stage: stage, lastTime: .at(5000), lastValue: value))
    }

    @Test func `where alerts stand is stored with the samples, and read back`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        let firing = alert(#"load{a="1"}"#, .firing(since: .at(0), firedAt: .at(2000)))
        let pending = alert(#"load{a="2"}"#, .pending(since: .at(1000)))
        let inactive = alert(#"load{a="3"}"#, .inactive, value: .infinity)
        var head = Head()
        for alert in [firing, pending, inactive] { head.setAlert(alert) }
        #expect(!head.isEmpty)
        _ = try writer.commit(head)
        #expect(Set(try writer.progress().alerts) == [firing, pending, inactive])

        var next = Head()
        let resolved = alert(#"load{a="1"}"#, .inactive)
        next.setAlert(resolved)
        next.forgetAlert(pending.key)
        _ = try writer.commit(next)
        try writer.close()
        let reader = try store.reader()
        #expect(Set(try reader.progress().alerts) == [resolved, inactive])
    }

    @Test func `people see the alerts that are pending or firing`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        head.setAlert(alert("load", .firing(since: .at(0), firedAt: .at(2000))))
        head.setAlert(alert("rest", .inactive))
        _ = try writer.commit(head)
        try writer.close()
        let database = try DatabaseQueue(path: store.path)
        let rows = try database.read { try Row.fetchAll($0, sql: "SELECT alert, state, series, value FROM alerts") }
        #expect(rows.map { $0["series"] as String } == ["load"])
        #expect(rows.first?["state"] == "firing")
    }

    @Test func `a commit that fails stores nothing of them`() throws {
        let store = try StoreFixture()
        var configuration = SeriesWriter.Configuration()
        configuration.maximumBytes = 200_000
        let writer = try store.writer(configuration)
        var head = Head()
        head.setAlert(alert("load", .pending(since: .at(0))))
        for series in 0..<2000 {
            head.define(SeriesReference(series), labels: .load(host: series))
            head.append(SeriesReference(series), timestamp: .at(0), value: 1)
        }
        #expect(throws: StoreError.full(path: store.path)) { try writer.commit(head) }
        #expect(try writer.progress().alerts.isEmpty)
        try writer.close()
    }
}
