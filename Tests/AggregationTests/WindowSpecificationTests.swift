import Aggregation
import MetricModel
import TestKit
import Testing

@Suite("Which windows a rule has")
struct WindowSpecificationTests {
    private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }

    @Test("a sliding window's samples are those of every window that begins at a multiple of `every`")
    func membership() throws {
        var random = SeededGenerator()
        for _ in 0..<300 {
            let every = Int64.random(in: 1...5, using: &random) * 500
            let interval = every * Int64.random(in: 2...12, using: &random)
            let windows = try WindowSpecification(interval: .milliseconds(interval), every: .milliseconds(every))
            let instant = Int64.random(in: -100_000...100_000, using: &random)
            let found = windows.windows(containing: at(instant)).map(\.start.milliseconds)
            let all = (-400...400).map { $0 * every }.filter { $0 <= instant && instant < $0 + interval }
            #expect(found == all)
            #expect(found.count == windows.overlap)
        }
    }

    @Test("tumbling windows are aligned to the epoch, and each instant is in one")
    func tumbling() throws {
        let windows = try WindowSpecification(interval: .seconds(60))
        #expect(windows.isTumbling)
        for (instant, start) in [(0, 0), (59_999, 0), (60_000, 60_000), (-1, -60_000), (-60_000, -60_000)]
            as [(Int64, Int64)]
        {
            #expect(
                Array(windows.windows(containing: at(instant))) == [Window(start: at(start), end: at(start + 60_000))])
        }
    }

    @Test("the ends of time do not trap")
    func ends() throws {
        let windows = try WindowSpecification(interval: .seconds(60), every: .seconds(10))
        for instant in [Int64.min, .min + 1, .max, .max - 1] {
            for window in windows.windows(containing: at(instant)) { #expect(window.start <= window.end) }
        }
    }

    @Test("durations that make no windows are named, with what would do")
    func errors() {
        func message(_ interval: Duration, _ every: Duration) -> String {
            do throws(WindowSpecificationError) {
                _ = try WindowSpecification(interval: interval, every: every)
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message(.seconds(60), .seconds(25)).contains("no multiple of every 25s"))
        #expect(message(.seconds(60), .seconds(120)).contains("no multiple of every 2m"))
        #expect(message(.seconds(60), .zero).contains("no multiple of every 0s"))
        #expect(message(.milliseconds(999), .milliseconds(999)).contains("999ms is too short"))
        #expect(message(.nanoseconds(1_000_000_001), .seconds(1)).contains("whole milliseconds"))
        #expect(message(.seconds(86_400), .seconds(1)).contains("86400 windows"))
    }

    @Test("the name tells width and step")
    func names() throws {
        #expect(try WindowSpecification(interval: .seconds(90)).description == "1m30s")
        #expect(try WindowSpecification(interval: .seconds(300), every: .seconds(30)).description == "5m_every_30s")
    }
}
