import Logging
import MetricModel
import SeriesStore
import TestKit
import Testing

@Suite struct SeriesLimitTests {
    private func writer(
        _ store: StoreFixture, _ change: (inout SeriesLimits) -> Void
    ) throws -> SeriesWriter {
        var configuration = SeriesWriter.Configuration()
        change(&configuration.limits)
        return try store.writer(configuration)
    }

    /// One sample of each of some series; references are the series' numbers.
    private func head(
        _ numbers: Range<Int>, at second: Int64 = 0, _ labels: (Int) -> Labels
    ) -> Head {
        var head = Head()
        for number in numbers {
            head.define(SeriesReference(number), labels: labels(number))
            head.append(SeriesReference(number), timestamp: .at(second * 1000), value: Double(number))
        }
        return head
    }

    @Test func `a metric with too many series gets no more, others do, and its worst label is named`() throws {
        let store = try StoreFixture()
        let writer = try writer(store) { $0.perMetric = 50 }
        let report = try writer.commit(
            head(0..<80) { ["__name__": "requests", "user": "u\($0)", "method": $0 % 2 == 0 ? "GET" : "PUT"] })
        #expect(report.newSeries == 50)
        #expect(report.storedSamples == 50)
        #expect(report.refusedSamples == 30)
        let overflow = try #require(report.overflow.first)
        #expect(overflow.cause.limit == .perMetric)
        #expect(overflow.cause.culprit == "requests")
        #expect(overflow.label == "user")
        #expect(overflow.labelValues == 50)
        #expect((overflow.series, overflow.samples) == (30, 30))

        var more = head(100..<110) { ["__name__": "load", "host": "\($0)"] }
        for number in 0..<80 { more.append(SeriesReference(number), timestamp: .at(1000), value: 1) }
        let second = try writer.commit(more)
        #expect(second.newSeries == 10)
        #expect(second.storedSamples == 60, "the series that exist go on")
        #expect(second.refusedSamples == 30)
        #expect(second.overflow.first?.series == 0, "no series is refused twice")
        let reader = try store.reader()
        #expect(try reader.overflow().map(\.samples) == [60])
        #expect(try reader.overflow().map(\.series) == [30])
        try reader.expectWindowsEqualSamples()
        try writer.close()
    }

    @Test func `a source with too many series gets no more`() throws {
        let store = try StoreFixture()
        let writer = try writer(store) { $0.perSource = 5 }
        let report = try writer.commit(
            head(0..<20) { ["__name__": "m\($0)", "instance": $0 < 10 ? "talker" : "quiet\($0)"] })
        #expect(report.newSeries == 15)
        #expect(report.overflow.map(\.cause.culprit) == ["talker"])
        #expect(report.overflow.map(\.cause.limit) == [.perSource])
        try writer.close()
    }

    @Test func `the limit in all holds across restarts, and names the largest metric`() throws {
        let store = try StoreFixture()
        var writer = try writer(store) { $0.total = 30 }
        _ = try writer.commit(head(0..<25) { ["__name__": "big", "host": "\($0)"] })
        try writer.close()
        writer = try self.writer(store) { $0.total = 30 }
        let report = try writer.commit(
            head(0..<40, at: 1) { $0 < 25 ? ["__name__": "big", "host": "\($0)"] : ["__name__": "small\($0)"] })
        #expect(report.newSeries == 5)
        #expect(report.storedSamples == 30)
        #expect(report.overflow.map(\.cause.culprit) == ["big"])
        #expect(report.overflow.map(\.label) == ["host"])
        try writer.close()
    }
}
