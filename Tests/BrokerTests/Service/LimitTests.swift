import KafkaProtocol
import NIOCore
import Synchronization
import TestKit
import Testing

@testable import Broker

/// Limits: what is beyond them is refused, counted and said; what is within them goes on.
@Suite struct LimitTests {
    @Test func connectionsFromOneAddressAreLimited() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.connectionsPerAddress = 2 }) { broker in
            let first = try await broker.connect()
            let second = try await broker.connect()
            _ = try await first.ask(ApiVersionsRequest())
            _ = try await second.ask(ApiVersionsRequest())
            let third = try await broker.connect()
            try await third.closedByServer()
            #expect(broker.service.statistics.refusedConnections == 1)
            #expect(broker.log.matching("the limit of 2 connections from one address").count == 1)
            await second.close()
            try await eventually("the place is free") { broker.service.statistics.connections == 1 }
            _ = try await broker.connect().ask(ApiVersionsRequest())
            _ = try await first.ask(ApiVersionsRequest())
        }
    }

    @Test func connectionsInAllAreLimited() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.connections = 1 }) { broker in
            let first = try await broker.connect()
            _ = try await first.ask(ApiVersionsRequest())
            try await broker.connect().closedByServer()
            _ = try await first.ask(ApiVersionsRequest())
            #expect(broker.log.matching("the limit of 1 connections is reached").count == 1)
        }
    }

    @Test func idleConnectionsAreClosedButNotThoseThatWaitForAnAnswer() async throws {
        let now = Mutex(NIODeadline.now())
        let clock = BrokerClock(now: { now.withLock { $0 } }, wallMilliseconds: BrokerClock.system.wallMilliseconds)
        try await withBroker(
            in: TemporaryDirectory(), clock: clock, configure: { $0.limits.connection.idleTime = .milliseconds(80) }
        ) { broker in
            let waiting = try await broker.connect()
            _ = try await waiting.ask(Requests.metadata(["t"]))
            try await waiting.send(Requests.fetch("t", waitMs: 60_000))
            let idle = try await broker.connect()
            let silent = try await broker.connect()
            _ = try await idle.ask(ApiVersionsRequest())
            try await eventually("all is received") {
                broker.service.statistics.requests == 3 && broker.service.statistics.connections == 3
            }
            now.withLock { $0 = $0 + .seconds(1) }
            try await idle.closedByServer()
            try await silent.closedByServer()
            #expect(broker.service.statistics.idleConnections == 2)
            _ = try await broker.connect().ask(try Requests.produce(["x"], to: "t"))
            #expect(try await waiting.answer(to: FetchRequest.self).response.values == ["x"])
        }
    }

    @Test func whoHoldsTooMuchMemoryIsCutAndOthersGoOn() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.requestBytes = 100_000 }) { broker in
            let honest = try await broker.connect()
            _ = try await honest.ask(ApiVersionsRequest())
            let greedy = try await broker.connect()
            var half = ByteBuffer()
            half.writeInteger(Int32(1_000_000))
            half.writeRepeatingByte(0, count: 200_000)
            try await greedy.send(half)
            try await greedy.closedByServer()
            _ = try await honest.ask(try Requests.produce([String(repeating: "x", count: 50_000)], to: "t"))
            #expect(broker.service.statistics.crowdedOutConnections == 1)
            try await eventually("the bytes are given back") { broker.service.statistics.requestBytes == 0 }
        }
    }

    @Test func groupsAreLimited() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.groups = 1 }) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(Requests.metadata(["t"]))
            func commit(_ group: String) async throws -> ErrorCode? {
                let topic = OffsetCommitRequest.OffsetCommitRequestTopic(
                    name: "t", partitions: [.init(partitionIndex: 0, committedOffset: 1)])
                let answer = try await client.ask(OffsetCommitRequest(groupID: group, topics: [topic]))
                return answer.topics.first?.partitions.first?.errorCode
            }
            #expect(try await commit("g") == ErrorCode.none)
            #expect(try await commit("h") == .policyViolation)
            #expect(try await commit("g") == ErrorCode.none)
            let joined = try await client.ask(
                JoinGroupRequest(
                    groupID: "i", sessionTimeoutMs: 10_000, protocolType: "consumer",
                    protocols: [.init(name: "range")]), version: 2)
            #expect(joined.errorCode == .policyViolation)
            #expect(broker.service.statistics.refusedGroups == 2)
            _ = try await client.ask(DeleteGroupsRequest(groupsNames: ["g"]))
            #expect(try await commit("h") == ErrorCode.none)
        }
    }

    @Test func partitionsInAllAreLimited() async throws {
        try await withBroker(in: TemporaryDirectory(), configure: { $0.limits.partitions = 3 }) { broker in
            let client = try await broker.connect()
            func create(_ name: String, _ count: Int32) async throws -> ErrorCode? {
                let topic = CreateTopicsRequest.CreatableTopic(name: name, numPartitions: count, replicationFactor: 1)
                return try await client.ask(CreateTopicsRequest(topics: [topic])).topics.first?.errorCode
            }
            #expect(try await create("t", 2) == ErrorCode.none)
            #expect(try await create("u", 2) == .policyViolation)
            let more = try await client.ask(CreatePartitionsRequest(topics: [.init(name: "t", count: 4)]))
            #expect(more.results.map(\.errorCode) == [.policyViolation])
            #expect(try await create("u", 1) == ErrorCode.none)
        }
    }
}
