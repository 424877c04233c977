import Testing

@testable import Topology

@Suite("Losses belong to what was going on")
struct LossTimesTests {
    @Test func `every time belongs to one disturbance, what was on its way to the one that lost it`() {
        let times = LossTimes([
            (start: 10_000, end: 12_000), (start: 20_000, end: 22_000), (start: 23_000, end: 24_000),
        ])
        #expect(times.range(ofStart: 10_000) == (0, 17_000))
        #expect(times.range(ofStart: 20_000) == (17_000, 22_000))
        #expect(times.range(ofStart: 23_000) == (22_000, .max))
    }
}
