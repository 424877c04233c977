import Testing

@testable import KafkaClient

@Suite struct BackoffTests {
    @Test func pausesDoubleUpToTheLongestWithAFifthOfJitter() {
        var generator = SystemRandomNumberGenerator()
        var backoff = Backoff(.milliseconds(100)...(.seconds(1)))
        for expected in [100, 200, 400, 800, 1000, 1000, 1000] {
            let pause = backoff.next(using: &generator)
            #expect(pause >= .milliseconds(expected) * 0.8 && pause <= .milliseconds(expected) * 1.2)
        }
        backoff.reset()
        #expect(backoff.next(using: &generator) <= .milliseconds(120))
    }

    @Test func manyFailuresDoNotOverflow() {
        var backoff = Backoff(.milliseconds(100)...(.seconds(1)))
        for _ in 0..<10_000 { #expect(backoff.next() <= .milliseconds(1200)) }
    }
}
