import Aggregation
import MetricModel
import Testing

@Suite struct ResolutionTests {
    private func start(_ resolution: Resolution, _ milliseconds: Int64) -> Int64 {
        resolution.windowStart(of: Timestamp(milliseconds: milliseconds)).milliseconds
    }

    @Test func `windows are aligned to the epoch and exclude their end`() {
        #expect(start(.oneMinute, 0) == 0)
        #expect(start(.oneMinute, 59_999) == 0)
        #expect(start(.oneMinute, 60_000) == 60_000)
        #expect(start(.oneHour, 3_599_999) == 0)
        #expect(start(.oneHour, 1_700_000_000_000) == 1_699_999_200_000)
        let window = Resolution.oneHour.window(containing: Timestamp(milliseconds: 7_200_000))
        #expect(window.start.milliseconds == 7_200_000)
        #expect(window.end.milliseconds == 10_800_000)
        #expect(window.contains(window.start))
        #expect(!window.contains(window.end))
    }

    @Test func `instants before the epoch belong to the window that begins before them`() {
        #expect(start(.oneMinute, -1) == -60_000)
        #expect(start(.oneMinute, -60_000) == -60_000)
        #expect(start(.oneMinute, -60_001) == -120_000)
    }

    @Test func `the ends of time do not trap`() {
        #expect(start(.oneHour, .min) == .min)
        #expect(start(.oneHour, .max) <= .max)
        #expect(Resolution.oneHour.window(containing: Timestamp(milliseconds: .max)).end.milliseconds == .max)
    }
}
