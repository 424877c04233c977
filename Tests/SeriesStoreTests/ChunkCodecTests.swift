import Aggregation
import MetricModel
import TestKit
import Testing

@testable import SeriesStore

@Suite struct ChunkCodecTests {
    private func roundTrip(_ samples: [Sample]) throws -> [Sample] {
        let bytes = ChunkCodec.encode(samples)
        var decoded: [Sample] = []
        try bytes.withUnsafeBytes { try ChunkCodec.decode($0, count: samples.count) { decoded.append($0) } }
        return decoded
    }

    private func expectSame(_ samples: [Sample], sourceLocation: SourceLocation = #_sourceLocation) throws {
        let decoded = try roundTrip(samples)
        #expect(decoded.map(\.timestamp) == samples.map(\.timestamp), sourceLocation: sourceLocation)
        #expect(
            decoded.map(\.value.bitPattern) == samples.map(\.value.bitPattern), sourceLocation: sourceLocation)
    }

    private func samples(_ values: [Double], every step: Int64 = 10_000) -> [Sample] {
        values.enumerated().map { Sample(timestamp: .at(Int64($0) * step), value: $1) }
    }

    @Test func `any samples come back bit by bit`() throws {
        var random = SeededGenerator()
        for _ in 0..<2000 {
            let kind = Int.random(in: 0..<8, using: &random)
            var timestamp = Int64.random(in: -(1 << 50)...1 << 50, using: &random)
            var value = Double(Int.random(in: 0...1_000_000, using: &random)) / 100
            let samples = (0..<Int.random(in: 1...300, using: &random)).map { _ in
                timestamp +=
                    kind == 0
                    ? Int64.random(in: 1...1 << 40, using: &random) : 10_000 + Int64.random(in: 0...3, using: &random)
                switch kind {
                case 0: value = Double(bitPattern: random.next())
                case 1: value += Double(Int.random(in: 0...900, using: &random)) / 100
                case 2: value = Double(Int.random(in: -5...5, using: &random))
                case 3: value = Bool.random(using: &random) ? value : Double.random(in: 0...1, using: &random)
                case 4: value = [0, -0.0, .nan, .infinity, .stalenessMarker, 5].randomElement(using: &random) ?? 0
                case 5: value += 1e15
                case 6: value = 4096 * Double(Int.random(in: -1_000_000...1_000_000, using: &random))
                default: break
                }
                return Sample(timestamp: Timestamp(milliseconds: timestamp), value: value)
            }
            try expectSame(samples)
        }
    }

    @Test func `the corners come back`() throws {
        try expectSame(samples([0]))
        try expectSame(samples([.nan]))
        try expectSame(samples([-0.0, 0]))
        try expectSame(samples([1, 2]))
        try expectSame([
            Sample(timestamp: Timestamp(milliseconds: .min), value: .greatestFiniteMagnitude),
            Sample(timestamp: Timestamp(milliseconds: .max), value: -.greatestFiniteMagnitude),
        ])
        try expectSame(samples([9_007_199_254_740_992, -9_007_199_254_740_992, 9_007_199_254_740_991]))
        try expectSame(samples([0.1, 0.2, 0.30000000000000004, 1e-300]))
    }

    @Test func `regular samples that do not change take next to nothing`() {
        #expect(ChunkCodec.encode(samples(Array(repeating: 42.5, count: 360))).count < 50)
        let counter = samples((0..<360).map { Double($0) * 250 })
        #expect(ChunkCodec.encode(counter).count < 60)
    }

    @Test func `a counter in hundredths takes less than two bytes a sample`() {
        var random = SeededGenerator(seed: 1)
        var value = 1000.0
        let counter = samples(
            (0..<360).map { _ in
                value = ((value + Double(Int.random(in: 0...900, using: &random)) / 100) * 100).rounded() / 100
                return value
            })
        #expect(Double(ChunkCodec.encode(counter).count) / 360 < 2)
    }

    @Test func `sizes in pages take no more than their number of pages`() throws {
        var random = SeededGenerator(seed: 1)
        let pages = (0..<360).map { _ in Double(Int.random(in: 1_000_000...1_002_000, using: &random)) }
        let sizes = samples(pages.map { $0 * 4096 })
        #expect(ChunkCodec.encode(sizes).count <= ChunkCodec.encode(samples(pages)).count + 4)
        try expectSame(sizes)
        // All steps are the same: their changes are what is stored.
        try expectSame(samples((0..<360).map { 1024 * Double($0 % 180) }))
        try expectSame(samples([-4096, 4096, -8192, 0]))
    }

    @Test func `damaged bytes are an error or other samples, never a trap`() throws {
        var random = SeededGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 1...80, using: &random)
            var bytes = ChunkCodec.encode(
                samples(
                    (0..<count).map { _ in
                        Bool.random(using: &random) ? 1 : count < 40 ? 4096 : .random(in: 0...1, using: &random)
                    }))
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &random))
            case 1: bytes = bytes.map { _ in UInt8.random(in: 0...255, using: &random) }
            default:
                bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            }
            let claimed = Bool.random(using: &random) ? count : Int.random(in: -1...1_000_000, using: &random)
            try? bytes.withUnsafeBytes { try ChunkCodec.decode($0, count: claimed) { _ in } }
        }
    }
}
