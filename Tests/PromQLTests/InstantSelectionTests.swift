import MetricModel
import PromQL
import Testing

@Suite("Selecting samples at instants")
struct InstantSelectionTests {
    private func at(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: seconds * 1000) }
    private func samples(_ seconds: Int64...) -> [Sample] {
        seconds.map { Sample(timestamp: at($0), value: Double($0)) }
    }

    @Test("instants end at the end, and lie a step apart")
    func instants() {
        let selection = InstantSelection(from: at(5), to: at(30), step: .seconds(10))
        #expect(selection.instants == [at(10), at(20), at(30)])
        #expect(InstantSelection(from: at(30), to: at(30), step: .seconds(1)).instants == [at(30)])
        #expect(InstantSelection(from: at(31), to: at(30), step: .seconds(1)).instants.isEmpty)
    }

    @Test("each instant takes the newest sample at or before it")
    func newest() {
        let selection = InstantSelection(from: at(10), to: at(30), step: .seconds(10))
        let selected = selection.select(from: samples(1, 9, 10, 11, 25, 31))
        #expect(selected.map(\.value) == [10, 11, 25])
        #expect(selected.map(\.timestamp) == [at(10), at(20), at(30)])
    }

    @Test("a sample as old as the lookback is not taken")
    func lookback() {
        let selection = InstantSelection(from: at(300), to: at(302), step: .seconds(1))
        #expect(selection.select(from: samples(1)).map(\.timestamp) == [at(300)])
        #expect(selection.select(from: []).isEmpty)
    }
}
