import NIOCore
import Testing

@testable import KafkaClient

@Suite struct PartitionerTests {
    /// Computed with kafka-python's `kafka.partitioner.default.murmur2`, which agrees with Java's.
    static let golden: [(ByteBuffer, UInt32, Int)] = [
        (ByteBuffer(), 0x106e_08d9, 9),
        (ByteBuffer(string: "a"), 0xa2d0_b27c, 4),
        (ByteBuffer(string: "ab"), 0x12d8_262a, 2),
        (ByteBuffer(string: "abc"), 0x1c94_221b, 3),
        (ByteBuffer(string: "abcd"), 0xb11a_b5f4, 8),
        (ByteBuffer(string: "abcde"), 0x1b89_7edd, 1),
        (ByteBuffer(string: "21"), 0xc5f2_f8ec, 0),
        (ByteBuffer(string: "foobar"), 0xd0e4_7bbe, 6),
        (ByteBuffer(string: "a-little-bit-long-string"), 0xc53b_1da0, 8),
        (ByteBuffer(string: "a-little-bit-longer-string"), 0xa768_c9c3, 11),
        (ByteBuffer(string: "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"), 0xfc7d_49cd, 5),
        (ByteBuffer(bytes: UInt8.min...UInt8.max), 0x8bde_9476, 10),
        (ByteBuffer(bytes: [0xff, 0xfe, 0xfd, 0x80, 0x00]), 0x8714_e3fd, 9),
        (ByteBuffer(string: "größe"), 0x230e_abf4, 8),
    ]

    @Test(arguments: golden)
    func keysGoWhereJavaSendsThem(key: ByteBuffer, hash: UInt32, partitionOfTwelve: Int) {
        #expect(Murmur2.hash(key) == hash)
        #expect(Murmur2.partition(of: key, count: 12) == partitionOfTwelve)
    }
}
