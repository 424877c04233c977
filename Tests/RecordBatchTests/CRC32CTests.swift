import RecordBatch
import TestKit
import Testing

@Suite struct CRC32CTests {
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        bytes.withUnsafeBytes { CRC32C.checksum($0) }
    }

    @Test func equalsThePublishedCheckValues() {
        #expect(checksum([]) == 0)
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(checksum(Array("a".utf8)) == 0xC1D0_4330)
        #expect(checksum(Array("The quick brown fox jumps over the lazy dog".utf8)) == 0x2262_0404)
        // RFC 3720, appendix B.4
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xff, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum(Array((0..<32).reversed())) == 0x113F_DB5C)
    }

    @Test func instructionsAndTablesAgreeAtEveryLengthAndAlignment() {
        var generator = SeededGenerator()
        let bytes = (0..<40_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        var lengths = Array(0...800)
        // Around the lengths of the interleaved lanes.
        for edge in [768, 1536, 12_288, 12_288 + 768, 24_576] { lengths += (edge - 9)...(edge + 9) }
        bytes.withUnsafeBytes { bytes in
            for length in lengths {
                let start = length % 17
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + length])
                #expect(CRC32C.checksum(part) == CRC32C.portableChecksum(part), "length \(length)")
            }
        }
    }

    @Test func goesOnFromAnEarlierChecksum() {
        var generator = SeededGenerator()
        let bytes = (0..<20_000).map { _ in UInt8.random(in: 0...255, using: &generator) }
        bytes.withUnsafeBytes { bytes in
            let whole = CRC32C.checksum(bytes)
            for _ in 0..<50 {
                let cut = Int.random(in: 0...bytes.count, using: &generator)
                let first = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[..<cut]))
                #expect(CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[cut...]), continuing: first) == whole)
            }
        }
    }
}
