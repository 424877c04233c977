import Aggregation
import GRDB
import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct RetentionTests {
    private static let hour: Int64 = 3_600_000

    private func configuration(
        _ retention: RetentionPolicy, sealAge: Duration = .seconds(60)
    ) -> SeriesWriter.Configuration {
        var configuration = SeriesWriter.Configuration()
        configuration.retention = retention
        configuration.sealAge = sealAge
        return configuration
    }

    private func policy(_ samples: Duration?, _ minutes: Duration?, _ hours: Duration?) throws -> RetentionPolicy {
        RetentionPolicy(otherwise: try Retention(samples: samples, minutes: minutes, hours: hours))
    }

    /// One sample a minute of some series, over some hours; commits hour by hour as a live pipeline does.
    private func fill(
        _ writer: SeriesWriter, series: Range<Int> = 0..<10, hours: Range<Int>, defining: Bool = true
    ) throws {
        for hour in hours {
            var head = Head()
            for number in series {
                if defining, hour == hours.first {
                    head.define(SeriesReference(number), labels: .load(host: number))
                }
                for minute in 0..<60 {
                    head.append(
                        SeriesReference(number), timestamp: .at(Int64(hour) * Self.hour + Int64(minute) * 60_000),
                        value: Double(hour * minute))
                }
            }
            let now = Timestamp.at(Int64(hour + 1) * Self.hour)
            _ = try writer.commit(head, now: now)
            while try writer.seal(now: now) {}
        }
    }

    private func expireAll(_ writer: SeriesWriter, now: Timestamp) throws {
        while try writer.expire(now: now) {}
    }

    private func counts(_ store: StoreFixture) throws -> [String: Int] {
        let database = try DatabaseQueue(path: store.path)
        defer { try? database.close() }
        return try database.read { database in
            try ["sample", "chunk", "window_1m", "window_1h", "series", "label", "series_label", "series_state"]
                .reduce(into: [:]) { counts, table in
                    counts[table] = try Int.fetchOne(database, sql: "SELECT count(*) FROM \(table)")
                }
        }
    }

    @Test func `each resolution is kept for its time`() throws {
        let store = try StoreFixture()
        let writer = try store.writer(
            configuration(try policy(.seconds(2 * 3600), .seconds(5 * 3600), .seconds(10 * 3600))))
        try fill(writer, hours: 0..<20)
        let now = Timestamp.at(20 * Self.hour)
        try expireAll(writer, now: now)
        let reader = try store.reader()
        let ids = try reader.series(matching: []).map(\.id)
        #expect(ids.count == 10)
        let samples = try reader.samples(of: ids, from: .beginning, to: .end)
        #expect(samples.values.allSatisfy { $0.first?.timestamp == .at(18 * Self.hour) && $0.count == 120 })
        let minutes = try reader.windows(of: ids, resolution: .oneMinute, from: .beginning, to: .end)
        #expect(minutes.values.allSatisfy { $0.first?.start == .at(15 * Self.hour) && $0.count == 300 })
        let hours = try reader.windows(of: ids, resolution: .oneHour, from: .beginning, to: .end)
        #expect(hours.values.allSatisfy { $0.first?.start == .at(10 * Self.hour) && $0.count == 10 })
        try writer.close()
    }

    @Test func `samples that come after their time has gone are counted, not stored`() throws {
        let store = try StoreFixture()
        let writer = try store.writer(configuration(try policy(.seconds(2 * 3600), nil, nil)))
        try fill(writer, hours: 0..<5)
        let now = Timestamp.at(5 * Self.hour)
        try expireAll(writer, now: now)
        var head = Head()
        // These minutes are in the windows already; their samples are gone.
        for minute in 0..<60 {
            head.append(SeriesReference(3), timestamp: .at(Int64(minute) * 60_000), value: 1)
        }
        head.append(SeriesReference(3), timestamp: now, value: 1)
        let report = try writer.commit(head, now: now)
        #expect(report.expiredSamples == 60)
        #expect(report.storedSamples == 1)
        let reader = try store.reader()
        let id = try reader.series(matching: [LabelMatcher("host", equals: "3")])[0].id
        let first = try reader.windows(of: [id], resolution: .oneHour, from: .at(0), to: .at(1))[id]?.first
        #expect(first?.aggregate.count == 60)
        try writer.close()
    }

    @Test func `with its last window a series goes, and comes back with its next sample`() throws {
        let store = try StoreFixture()
        let writer = try store.writer(configuration(try policy(.seconds(3600), .seconds(3600), .seconds(7200))))
        try fill(writer, hours: 0..<2)
        try fill(writer, series: 0..<3, hours: 2..<6, defining: false)
        try expireAll(writer, now: .at(6 * Self.hour))
        #expect(try counts(store)["series"] == 3)
        #expect(try counts(store)["series_state"] == 3)
        #expect(try counts(store)["series_label"] == 6)
        #expect(try counts(store)["label"] == 4, "load, and the three hosts")
        var head = Head()
        head.append(SeriesReference(7), timestamp: .at(6 * Self.hour), value: 7)
        let report = try writer.commit(head, now: .at(6 * Self.hour))
        #expect(report.newSeries == 1)
        let reader = try store.reader()
        let found = try reader.series(matching: [LabelMatcher("host", equals: "7")])
        #expect(found.map(\.labels) == [.load(host: 7)])
        let hours = try reader.windows(of: found.map(\.id), resolution: .oneHour, from: .beginning, to: .end)
        #expect(hours.values.map(\.count) == [1], "none of the series that had its reference before")
        try writer.close()
    }

    @Test func `series of different rules are kept for different times, whatever is killed meanwhile`() throws {
        var random = SeededGenerator()
        let short = try Retention(samples: .seconds(3600), minutes: .seconds(3600), hours: .seconds(4 * 3600))
        let long = try Retention(samples: .seconds(5 * 3600), minutes: nil, hours: nil)
        let rules = RetentionPolicy(
            rules: [.init(matchers: [try LabelMatcher("host", .matches, "[0-4]")], retention: short)], otherwise: long)
        let store = try StoreFixture()
        var writer = try store.writer(configuration(rules))
        try fill(writer, series: 0..<300, hours: 0..<8)
        let now = Timestamp.at(8 * Self.hour)
        while try writer.expire(now: now) {
            if Int.random(in: 0..<8, using: &random) == 0 {
                try writer.close()
                writer = try store.writer(configuration(rules))
            }
        }
        let reader = try store.reader()
        for series in try reader.series(matching: []) {
            let isShort = series.labels["host"].map { $0.count == 1 && $0 <= "4" } ?? false
            let hours = try reader.windows(of: [series.id], resolution: .oneHour, from: .beginning, to: .end)
            #expect(hours[series.id]?.count == (isShort ? 4 : 8), "\(series.labels)")
            let minutes = try reader.windows(of: [series.id], resolution: .oneMinute, from: .beginning, to: .end)
            #expect(minutes[series.id]?.count == (isShort ? 60 : 480), "\(series.labels)")
            let samples = try reader.samples(of: [series.id], from: .beginning, to: .end)
            #expect(samples[series.id]?.count == (isShort ? 60 : 300), "\(series.labels)")
        }
        try writer.close()
    }

    @Test func `a changed policy applies to what is there`() throws {
        let store = try StoreFixture()
        var writer = try store.writer(configuration(.forever))
        try fill(writer, hours: 0..<6)
        try expireAll(writer, now: .at(6 * Self.hour))
        #expect(try counts(store)["window_1h"] == 60)
        try writer.close()

        writer = try store.writer(configuration(try policy(.seconds(3600), .seconds(3600), .seconds(3600))))
        try expireAll(writer, now: .at(6 * Self.hour))
        #expect(try counts(store)["window_1h"] == 10)
        try writer.close()

        // Longer again: what is gone is gone, and late samples of that time cannot be told from duplicates.
        writer = try store.writer(configuration(.forever))
        var head = Head()
        head.define(SeriesReference(0), labels: .load(host: 0))
        head.append(SeriesReference(0), timestamp: .at(Self.hour), value: 1)
        #expect(try writer.commit(head, now: .at(6 * Self.hour)).expiredSamples == 1)
        try writer.close()
    }

    @Test func `space is given back to the disk`() throws {
        let store = try StoreFixture()
        let writer = try store.writer(configuration(try policy(.seconds(3600), .seconds(3600), .seconds(3600))))
        try fill(writer, series: 0..<400, hours: 0..<12)
        try writer.close()
        let full = writer.byteCount
        let again = try store.writer(configuration(try policy(.seconds(3600), .seconds(3600), .seconds(3600))))
        try expireAll(again, now: .at(12 * Self.hour))
        try again.close()
        #expect(again.byteCount < full / 3)
        let reader = try store.reader()
        try reader.expectWindowsEqualSamples()
    }

    @Test func `retentions that make no sense are refused`() {
        #expect(throws: RetentionError.unordered(finer: "raw", coarser: "1m")) {
            try Retention(samples: nil, minutes: .seconds(60), hours: nil)
        }
        #expect(throws: RetentionError.unordered(finer: "1m", coarser: "1h")) {
            try Retention(samples: .seconds(60), minutes: .seconds(120), hours: .seconds(119))
        }
        #expect(throws: RetentionError.notPositive) {
            try Retention(samples: .zero, minutes: nil, hours: nil)
        }
    }
}
