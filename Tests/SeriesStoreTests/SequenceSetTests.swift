import SeriesStore
import TestKit
import Testing

@Suite struct SequenceSetTests {
    @Test func `a stream in order is one interval`() {
        var set = SequenceSet()
        func inserted(_ sequence: Int64) -> Bool { set.insert(sequence) }
        for sequence in 5...2000 { #expect(inserted(Int64(sequence))) }
        #expect(set.intervals == [5...2000])
        #expect(!inserted(5))
        #expect(!inserted(1999))
        #expect(set.contains(2000) && !set.contains(4) && !set.contains(2001))
    }

    @Test func `intervals join when the gap between them fills`() {
        var set = SequenceSet([1...3, 5...7])
        #expect(set.intervals == [1...3, 5...7])
        set.insert(4)
        #expect(set.intervals == [1...7])
        set.insert(10...12)
        set.insert(0...20)
        #expect(set.intervals == [0...20])
        #expect(set.description == "0…20")
    }

    @Test func `any insertions give the intervals of the same set of numbers`() {
        var random = SeededGenerator()
        for _ in 0..<300 {
            var set = SequenceSet()
            func inserted(_ sequence: Int64) -> Bool { set.insert(sequence) }
            var model: Set<Int64> = []
            for _ in 0..<Int.random(in: 1...80, using: &random) {
                let first = Int64.random(in: 0...100, using: &random)
                if Bool.random(using: &random) {
                    let expected = model.insert(first).inserted
                    #expect(inserted(first) == expected)
                } else {
                    let last = first + Int64.random(in: 0...12, using: &random)
                    set.insert(first...last)
                    model.formUnion(first...last)
                }
            }
            for number in Int64(-2)...115 { #expect(set.contains(number) == model.contains(number)) }
            #expect(set.intervals.reduce(0) { $0 + $1.count } == model.count)
            for (one, next) in zip(set.intervals, set.intervals.dropFirst()) {
                #expect(one.upperBound + 1 < next.lowerBound)
            }
            var union = SequenceSet([3...50])
            union.formUnion(set)
            #expect(union == SequenceSet(set.intervals + [3...50]))
        }
    }

    @Test func `the ends of Int64 do not trap`() {
        var set = SequenceSet([Int64.max...Int64.max, Int64.min...Int64.min])
        func inserted(_ sequence: Int64) -> Bool { set.insert(sequence) }
        #expect(inserted(.max - 1))
        #expect(!inserted(.max))
        #expect(set.intervals.count == 2)
        #expect(!set.description.isEmpty)
    }
}
