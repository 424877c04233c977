import Glibc

/// A reproducible random number generator (SplitMix64, Steele et al. 2014). A test prints its ``seed`` so that a failure
/// can be run again with `WEIR_TEST_SEED`.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    public let seed: UInt64
    private var state: UInt64

    public init(seed: UInt64) {
        self.seed = seed
        state = seed
    }

    /// Takes the seed from `WEIR_TEST_SEED`, else a new one from the system, and prints it with the test's name.
    public init(for test: String = #function) {
        let given = getenv("WEIR_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        self.init(seed: given ?? UInt64.random(in: 0...UInt64(UInt32.max)))
        print("\(test): WEIR_TEST_SEED=\(seed)")
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
