import Aggregation
import MetricModel
import SeriesStore
import Synchronization
import TestKit
import Testing

@Suite struct ReadingTests {
    @Test func `the latest value is found in whatever hour it is`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        for host in 0..<30 {
            head.define(SeriesReference(host), labels: .load(host: host))
            head.append(SeriesReference(host), timestamp: .at(Int64(host) * 3_600_000), value: Double(host))
            head.append(SeriesReference(host), timestamp: .at(Int64(host) * 3_600_000 + 5), value: Double(host) + 0.5)
        }
        _ = try writer.commit(head)
        let reader = try store.reader()
        let series = try reader.series(matching: [])
        let latest = try reader.latest(of: series.map(\.id), since: .beginning)
        for one in series {
            #expect(latest[one.id]?.value == Double(one.labels["host"] ?? "").map { $0 + 0.5 })
        }
        let recent = try reader.latest(of: series.map(\.id), since: .at(27 * 3_600_000 + 5))
        #expect(recent.count == 3)
        let one = try reader.series(matching: [LabelMatcher("host", equals: "3")])[0].id
        #expect(try reader.latest(of: [one], since: .at(0)) == [one: Sample(timestamp: .at(10_800_005), value: 3.5)])
    }

    @Test func `few and many series of a range give the same windows`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var head = Head()
        for host in 0..<40 {
            head.define(SeriesReference(host), labels: .load(host: host))
            for minute in 0..<5 where minute != host % 5 {
                head.append(SeriesReference(host), timestamp: .at(Int64(minute) * 60_000), value: Double(minute))
            }
        }
        _ = try writer.commit(head)
        let reader = try store.reader()
        let ids = try reader.series(matching: []).map(\.id)
        let all = try reader.windows(of: ids, resolution: .oneMinute, from: .at(60_000), to: .at(240_000))
        for id in ids {
            let single = try reader.windows(of: [id], resolution: .oneMinute, from: .at(60_000), to: .at(240_000))
            #expect(single[id] == all[id])
        }
        #expect(all.values.reduce(0) { $0 + $1.count } == 40 * 3 - 24)
        #expect(try reader.windows(of: ids, resolution: .oneMinute, from: .at(5), to: .at(5)).isEmpty)
        #expect(try reader.samples(of: [SeriesID](), from: .beginning, to: .end).isEmpty)
    }

    @Test func `readers see whole commits and no lock while the writer commits`() async throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        var first = Head()
        for host in 0..<20 {
            first.define(SeriesReference(host), labels: .load(host: host))
            first.append(SeriesReference(host), timestamp: .at(0), value: 1)
        }
        _ = try writer.commit(first)
        let done = Flag()
        try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var reads = 0
                    while !done.isSet {
                        // A reader of its own each time: opening, too, must never meet a lock.
                        let reader = try store.reader()
                        let ids = try reader.series(matching: []).map(\.id)
                        let offset = try reader.progress().offsets.values.first ?? 0
                        let samples = try reader.samples(of: ids, from: .beginning, to: .end)
                        let counts = Set(ids.map { samples[$0]?.count ?? 0 })
                        #expect(counts.count == 1, "each commit holds one sample of every series")
                        #expect(counts.first ?? 0 >= Int(offset))
                        try reader.close()
                        reads += 1
                        await Task.yield()
                    }
                    return reads
                }
            }
            group.addTask {
                for round in 1...150 {
                    var head = Head()
                    for host in 0..<20 {
                        head.append(SeriesReference(host), timestamp: .at(Int64(round) * 1000), value: 1)
                    }
                    head.advance(SourcePartition(topic: "t", partition: 0), through: round - 1)
                    _ = try writer.commit(head)
                    if round % 50 == 0 { await Task.yield() }
                }
                done.set()
                return 1
            }
            for try await reads in group { #expect(reads > 0) }
        }
        try writer.close()
    }
}

/// Raised once, seen by other tasks.
private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}
