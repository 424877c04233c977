import Testing

@testable import Subscriber

@Suite struct CommitPolicyTests {
    @Test func `the pause between commits grows with what they take, within bounds`() {
        let policy = CommitPolicy()
        #expect(policy.interval(afterCommitOf: .milliseconds(1)) == .milliseconds(200))
        #expect(policy.interval(afterCommitOf: .milliseconds(200)) == .milliseconds(800))
        #expect(policy.interval(afterCommitOf: .seconds(60)) == .seconds(2))
    }
}
