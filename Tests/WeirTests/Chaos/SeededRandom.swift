import TestKit

/// A ``SeededGenerator`` that gives those who run at the same time generators of their own.
struct SeededRandom: RandomNumberGenerator, Sendable {
    private var generator: SeededGenerator

    init(_ generator: SeededGenerator) {
        self.generator = generator
    }

    mutating func next() -> UInt64 { generator.next() }

    mutating func split() -> SeededRandom { SeededRandom(SeededGenerator(seed: next())) }
}
