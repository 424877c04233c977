import Aggregation
import MetricModel
import TestKit
import Testing

@Suite("The event-time watermark")
struct EventTimeWatermarkTests {
    private static let start: Int64 = 1_800_000_000_000
    private let partition = EventTimeSource.Partition(topic: "metrics.cpu", index: 0)

    private func clock(_ seconds: Double) -> ClockReading {
        ClockReading(wall: time(seconds), elapsed: .milliseconds(Int64(seconds * 1000)))
    }

    private func time(_ seconds: Double) -> Timestamp {
        Timestamp(milliseconds: Self.start + Int64(seconds * 1000))
    }

    private func source(_ instance: String, _ index: Int32 = 0) -> EventTimeSource {
        EventTimeSource(partition: .init(topic: "metrics.cpu", index: index), instance: instance)
    }

    /// A watermark whose partitions have been read to their ends.
    private func live(_ partitions: Int32 = 1, _ settings: WatermarkSettings = WatermarkSettings())
        -> EventTimeWatermark
    {
        var watermark = EventTimeWatermark(settings: settings)
        for index in 0..<partitions {
            watermark.assign(source("", index).partition, at: clock(0))
            watermark.reachedEnd(of: source("", index).partition, at: clock(0))
        }
        return watermark
    }

    @discardableResult
    private func observe(
        _ watermark: inout EventTimeWatermark, _ source: EventTimeSource, _ seconds: Double..., at now: Double
    ) -> ClockSkew? {
        var times = ObservedTimes(plausible: watermark.plausibleTimes(of: source.partition, at: clock(now)))
        for second in seconds { times.add(time(second)) }
        return watermark.observe(times, from: source, at: clock(now))
    }

    @Test("it is the newest time of the source that is furthest behind, and that source is named")
    func slowest() {
        var watermark = live(2)
        observe(&watermark, source("a"), 10, 12, 11, at: 13)
        observe(&watermark, source("b"), 7, at: 13)
        observe(&watermark, source("c", 1), 20, at: 20)
        #expect(watermark.advance(at: clock(20)) == time(7))
        #expect(watermark.slowestSource(at: clock(20))?.source == source("b"))
        observe(&watermark, source("b"), 30, at: 31)
        #expect(watermark.advance(at: clock(31)) == time(12))
    }

    @Test("it never goes back: not for late samples, new sources, or a restart")
    func monotonic() {
        var watermark = live()
        observe(&watermark, source("a"), 50, at: 50)
        #expect(watermark.advance(at: clock(50)) == time(50))
        observe(&watermark, source("a"), 20, at: 51)
        observe(&watermark, source("new"), 10, at: 51)
        #expect(watermark.advance(at: clock(51)) == time(50))
        var restarted = EventTimeWatermark(value: time(50))
        observe(&restarted, source("a"), 30, at: 60)
        #expect(restarted.advance(at: clock(60)) == time(50))
    }

    @Test("a partition that was just assigned holds it back until its samples, its end, or the idle timeout")
    func assignment() {
        let other = source("", 1).partition
        var watermark = live()
        watermark.assign(other, at: clock(0))
        observe(&watermark, source("a"), 10, at: 10)
        #expect(watermark.advance(at: clock(10)) == nil)
        var withSamples = watermark
        observe(&withSamples, source("c", 1), 4, at: 11)
        #expect(withSamples.advance(at: clock(11)) == time(4))
        var atEnd = watermark
        atEnd.reachedEnd(of: other, at: clock(11))
        #expect(atEnd.advance(at: clock(11)) == time(10))
        var revoked = watermark
        revoked.revoke(other)
        #expect(revoked.advance(at: clock(11)) == time(10))
        observe(&watermark, source("a"), 61, at: 61)
        #expect(watermark.advance(at: clock(61)) == time(61))
    }

    @Test("an idle source does not hold it back for ever, and counts again when it is back")
    func idle() {
        var watermark = live()
        observe(&watermark, source("gone"), 10, at: 10)
        for second in stride(from: 10.0, through: 69, by: 1) { observe(&watermark, source("a"), second, at: second) }
        #expect(watermark.advance(at: clock(69)) == time(10))
        observe(&watermark, source("a"), 70, at: 70)
        #expect(watermark.advance(at: clock(70)) == time(70))
        observe(&watermark, source("gone"), 71, at: 71)
        observe(&watermark, source("a"), 80, at: 80)
        #expect(watermark.advance(at: clock(80)) == time(71))
    }

    @Test("when everybody is silent it follows the wall clock, so that the last windows close")
    func silence() {
        var watermark = live()
        observe(&watermark, source("a"), 100, at: 100)
        #expect(watermark.advance(at: clock(159)) == time(100))
        #expect(watermark.advance(at: clock(165)) == time(105))
        #expect(watermark.advance(at: clock(1000)) == time(940))
        #expect(watermark.sourceCount == 0)
        // The first sample afterwards is not late.
        observe(&watermark, source("a"), 1000, at: 1000)
        #expect(watermark.advance(at: clock(1000)) == time(1000))
    }

    @Test("a wall clock that is set changes nothing about who is idle")
    func setClock() {
        var watermark = live()
        observe(&watermark, source("a"), 10, at: 10)
        observe(&watermark, source("b"), 11, at: 11)
        let jumped = ClockReading(wall: time(400), elapsed: .seconds(12))
        #expect(watermark.advance(at: jumped) == time(10))
    }

    @Test("samples of the future do not drive it, and their source is reported")
    func future() throws {
        var watermark = live()
        observe(&watermark, source("good"), 100, at: 100)
        let hours = try #require(observe(&watermark, source("bad"), 100 + 7200, 100 + 3600, at: 100))
        #expect(hours.source == source("bad"))
        #expect(hours.futureSamples == 2)
        #expect(hours.ahead == .seconds(7200))
        #expect(hours.pastSamples == 0)
        #expect("\(hours)" == "bad (metrics.cpu-0): 2 samples up to 2h in the future")
        let years = try #require(observe(&watermark, source("bad"), 74 * 365 * 86_400, at: 100))
        #expect(years.ahead > .seconds(73 * 365 * 86_400))
        #expect(watermark.advance(at: clock(100)) == time(100))
        // A record with good samples beside bad ones counts with the good ones.
        let mixed = try #require(observe(&watermark, source("bad"), 90, 5000, at: 101))
        #expect(mixed.futureSamples == 1)
        observe(&watermark, source("good"), 130, at: 130)
        #expect(watermark.advance(at: clock(130)) == time(100))
        #expect(watermark.slowestSource(at: clock(130))?.source == source("bad"))
        #expect(observe(&watermark, source("bad"), 150, at: 100) == nil, "within what clocks may differ")
    }

    @Test("a clock that is hours or years behind does not hold it back, and its source is reported")
    func past() throws {
        var watermark = live()
        observe(&watermark, source("good"), 100, at: 100)
        let hours = try #require(observe(&watermark, source("slow"), 100 - 7200, at: 100))
        #expect(hours.pastSamples == 1)
        #expect(hours.behind == .seconds(7200))
        let epoch = try #require(observe(&watermark, source("unset"), -Double(Self.start) / 1000, at: 100))
        #expect(epoch.behind > .seconds(50 * 365 * 86_400))
        #expect(watermark.advance(at: clock(100)) == time(100))
    }

    @Test("while a backlog is read, hours of age are no wrong clock, and the slowest partition is waited for")
    func backlog() {
        var watermark = EventTimeWatermark()
        for index in 0..<2 as Range<Int32> { watermark.assign(source("", index).partition, at: clock(0)) }
        #expect(observe(&watermark, source("a"), -7200, at: 1) == nil)
        #expect(observe(&watermark, source("b", 1), -10_000, at: 1) == nil)
        #expect(watermark.advance(at: clock(1)) == time(-10_000))
        observe(&watermark, source("a"), -10, at: 2)
        #expect(watermark.advance(at: clock(2)) == time(-10_000))
        observe(&watermark, source("b", 1), -5, at: 3)
        #expect(watermark.advance(at: clock(3)) == time(-10))
        // A clock that is two hours behind is found as soon as the partition has been read to its end.
        observe(&watermark, source("slow"), -7200, at: 4)
        watermark.reachedEnd(of: source("").partition, at: clock(4))
        observe(&watermark, source("a"), 4, at: 4)
        observe(&watermark, source("b", 1), 4, at: 4)
        #expect(watermark.advance(at: clock(4)) == time(4))
        #expect(observe(&watermark, source("slow"), -7195, at: 5) != nil)
    }

    @Test("beyond the limit of sources those of a partition are one")
    func limit() {
        var settings = WatermarkSettings()
        settings.maximumSources = 3
        var watermark = live(1, settings)
        for index in 0..<50 { observe(&watermark, source("host\(index)"), Double(index), at: 60) }
        #expect(watermark.sourceCount == 4)
        #expect(watermark.advance(at: clock(60)) == time(0))
    }

    @Test("any interleaving of the same records ends at the same watermark, and none overtakes a source that is heard")
    func interleavings() {
        var random = SeededGenerator()
        for _ in 0..<100 {
            let sources = (0..<Int.random(in: 1...6, using: &random)).map { source("h\($0)", Int32($0 % 2)) }
            var records: [(source: EventTimeSource, seconds: Double)] = []
            for source in sources {
                for _ in 0..<Int.random(in: 1...15, using: &random) {
                    records.append((source, Double.random(in: 0...50, using: &random)))
                }
            }
            var ends: Set<Timestamp?> = []
            for _ in 0..<5 {
                var watermark = live(2)
                var newest: [EventTimeSource: Double] = [:]
                for record in records.shuffled(using: &random) {
                    observe(&watermark, record.source, record.seconds, at: 55)
                    newest[record.source] = max(newest[record.source] ?? 0, record.seconds)
                    guard newest.count == sources.count else { continue }
                    // Read one by one, so that it is asked for at any moment.
                    let value = watermark.advance(at: clock(55))
                    #expect(value == newest.values.min().map(time))
                }
                ends.insert(watermark.advance(at: clock(55)))
            }
            #expect(ends.count == 1)
        }
    }
}
