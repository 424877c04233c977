import KafkaProtocol
import NIOCore
import Testing

@testable import KafkaClient

@Suite struct ConnectionStateMachineTests {
    private static let address = BrokerAddress(host: "broker", port: 9092)

    private func request() throws -> ByteBuffer {
        try RequestEncoding.encode(HeartbeatRequest(groupID: "g"), version: 3, clientID: "c")
    }

    private func answer(_ id: Int32) -> ByteBuffer {
        ByteBuffer(integer: id)
    }

    /// The correlation id in a frame that is written.
    private func id(_ action: ConnectionStateMachine<String>.SendAction) -> Int32? {
        guard case .write(let frame) = action else { return nil }
        return frame.getInteger(at: 8)
    }

    @Test func eachRequestGetsItsOwnAnswer() throws {
        var machine = ConnectionStateMachine<String>(address: Self.address)
        let now = NIODeadline.now()
        let ids = try ["a", "b", "c"].map { name in
            id(
                machine.send(
                    try request(), name: name, expectsAnswer: true, timeout: .seconds(1), now: now, completion: name))
        }
        #expect(ids == [1, 2, 3])
        for (correlation, name) in [(Int32(1), "a"), (2, "b"), (3, "c")] {
            guard case .answer(let completion, _) = machine.received(answer(correlation)) else {
                Issue.record("no answer for \(name)")
                continue
            }
            #expect(completion == name)
        }
        let pendingCount = machine.pendingCount
        #expect(pendingCount == 0)
    }

    @Test func requestWithoutAnswerIsNotWaitedFor() throws {
        var machine = ConnectionStateMachine<String>(address: Self.address)
        let action = machine.send(
            try request(), name: "Produce", expectsAnswer: false, timeout: .seconds(1), now: .now(), completion: "p")
        guard case .writeUnanswered(_, "p") = action else {
            Issue.record("\(action)")
            return
        }
        let pendingCount = machine.pendingCount
        #expect(pendingCount == 0)
    }

    @Test func answerToNothingEndsTheConnection() throws {
        var machine = ConnectionStateMachine<String>(address: Self.address)
        _ = machine.send(
            try request(), name: "a", expectsAnswer: true, timeout: .seconds(1), now: .now(), completion: "a")
        guard case .close(let failed) = machine.received(answer(77)) else {
            Issue.record("not closed")
            return
        }
        #expect(failed.map(\.0) == ["a"])
        guard case .ignore = machine.received(answer(1)) else {
            Issue.record("an answer after the end")
            return
        }
    }

    @Test func answerWithoutACorrelationIDEndsTheConnection() throws {
        var machine = ConnectionStateMachine<String>(address: Self.address)
        guard case .close(let failed) = machine.received(ByteBuffer(integer: Int16(1))) else {
            Issue.record("not closed")
            return
        }
        #expect(failed.isEmpty)
    }

    @Test func overdueRequestFailsAllThatQueueBehindIt() throws {
        var machine = ConnectionStateMachine<String>(address: Self.address)
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        for (name, timeout) in [("long", Duration.seconds(30)), ("short", .seconds(1)), ("other", .seconds(30))] {
            _ = machine.send(
                try request(), name: name, expectsAnswer: true, timeout: timeout, now: start, completion: name)
        }
        let nextDeadline = machine.nextDeadline
        #expect(nextDeadline == start + .seconds(1))
        let early = machine.expire(now: start + .milliseconds(999))
        #expect(early?.count == nil)
        let failed = machine.expire(now: start + .seconds(1)) ?? []
        try #require(failed.count == 3)
        #expect(failed.map(\.0) == ["long", "short", "other"])
        #expect(failed[1].1 == .timedOut(Self.address, request: "short", after: .seconds(1)))
        let lost = KafkaClientError.connectionLost(Self.address, reason: "short was not answered in time")
        #expect(failed[0].1 == lost && failed[2].1 == lost)
    }

    @Test func afterALossEveryRequestFailsTheSameWay() throws {
        var machine = ConnectionStateMachine<String>(address: Self.address)
        _ = machine.send(
            try request(), name: "a", expectsAnswer: true, timeout: .seconds(1), now: .now(), completion: "a")
        let lost = KafkaClientError.connectionLost(Self.address, reason: "the broker closed it")
        let first = machine.fail(lost)
        let second = machine.fail(.closed)
        #expect(first.map(\.1) == [lost])
        #expect(second.isEmpty)
        let action = machine.send(
            try request(), name: "b", expectsAnswer: true, timeout: .seconds(1), now: .now(), completion: "b")
        guard case .fail("b", let error) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(error == lost)
    }
}
