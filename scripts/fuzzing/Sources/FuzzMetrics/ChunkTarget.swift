import Fuzzing
import MetricModel

@testable import Chunks

extension FuzzTarget {
    nonisolated(unsafe) private static var samples: [Sample] = []

    /// The series store's chunks: two bytes say how many samples the chunk's bytes are said to hold.
    static let chunk = FuzzTarget("chunk", maximumBytes: 256) { bytes in
        guard bytes.count > 2 else { return }
        let count = (Int(bytes[0]) << 8 | Int(bytes[1])) % (Chunk.maximumCount + 1)
        samples.removeAll(keepingCapacity: true)
        do throws(ChunkDamage) {
            try ChunkCodec.decode(UnsafeRawBufferPointer(rebasing: bytes[2...]), count: count) { samples.append($0) }
        } catch {
            return
        }
        promise(samples.count == count, "\(samples.count) samples, not \(count)")
        guard zip(samples, samples.dropFirst()).allSatisfy({ $0.timestamp < $1.timestamp }) else { return }
        var index = 0
        do {
            let again = ChunkCodec.encode(samples)
            try again.withUnsafeBytes { chunk in
                try ChunkCodec.decode(chunk, count: count) { sample in
                    promise(
                        sample.timestamp == samples[index].timestamp
                            && sample.value.bitPattern == samples[index].value.bitPattern,
                        "sample \(index) is \(sample), was \(samples[index])")
                    index += 1
                }
            }
        } catch {
            broken("an own chunk is damaged: \(error)")
        }
        promise(index == count, "\(index) samples, not \(count)")
    }
}
