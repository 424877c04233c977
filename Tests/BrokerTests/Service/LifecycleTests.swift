import CommitLog
import FoundationEssentials
import KafkaProtocol
import Logging
import NIOCore
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// Starting, stopping, and what is there after a restart.
@Suite struct LifecycleTests {
    @Test func recordsTopicsAndIdsSurviveARestart() async throws {
        let directory = try TemporaryDirectory()
        let first = try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(
                CreateTopicsRequest(topics: [.init(name: "t", numPartitions: 3, replicationFactor: 1)]))
            _ = try await client.ask(try Requests.produce(["a", "b"], to: "t", partition: 2))
            return try await client.ask(Requests.metadata(nil))
        }
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            let second = try await client.ask(Requests.metadata(nil))
            #expect(second.clusterID == first.clusterID)
            #expect(second.topics == first.topics)
            #expect(try await client.ask(Requests.fetch("t", partition: 2)).values == ["a", "b"])
        }
    }

    @Test func aKilledBrokersDirectoryIsAsGoodAsAStoppedOnes() async throws {
        let directory = try TemporaryDirectory()
        let copy = try TemporaryDirectory()
        let (id, next) = try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            let id = try await client.ask(InitProducerIdRequest(transactionalID: nil)).producerID
            for sequence in Int32(0)..<6 {
                let batch = try Requests.batch(["\(sequence)"], producerID: id, epoch: 0, sequence: sequence)
                _ = try await client.ask(Requests.produce(batch, to: "t"))
            }
            // What a kill leaves behind: the files as they are now.
            try FileManager.default.copyItem(atPath: directory.appending("data"), toPath: copy.appending("data"))
            return (id, try await client.ask(InitProducerIdRequest(transactionalID: nil)).producerID)
        }
        try await withBroker(in: copy) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.fetch("t")).values.count == 6)
            // The producer sends its last batch again, then goes on.
            let again = try Requests.batch(["5"], producerID: id, epoch: 0, sequence: 5)
            let answer = try await client.ask(Requests.produce(again, to: "t")).only
            #expect(answer.errorCode == .none && answer.baseOffset == 5)
            let gap = try Requests.batch(["7"], producerID: id, epoch: 0, sequence: 7)
            #expect(try await client.ask(Requests.produce(gap, to: "t")).only.errorCode == .outOfOrderSequenceNumber)
            let more = try Requests.batch(["6"], producerID: id, epoch: 0, sequence: 6)
            #expect(try await client.ask(Requests.produce(more, to: "t")).only.baseOffset == 6)
            // Nobody else ever had the id that is given out now.
            let fresh = try await client.ask(InitProducerIdRequest(transactionalID: nil)).producerID
            #expect(fresh > next)
        }
    }

    @Test func aDamagedSegmentIsToldAndTheBrokerStarts() async throws {
        let directory = try TemporaryDirectory()
        let copy = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            for index in 0..<3 { _ = try await client.ask(try Requests.produce(["\(index)"], to: "t")) }
            try FileManager.default.copyItem(atPath: directory.appending("data"), toPath: copy.appending("data"))
        }
        let segment = copy.appending("data/t-0/00000000000000000000.log")
        let bytes = try #require(FileManager.default.contents(atPath: segment))
        try (bytes + Data([1, 2, 3, 4, 5])).write(to: URL(filePath: segment))
        try await withBroker(in: copy) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.fetch("t")).values == ["0", "1", "2"])
            let lines = broker.log.matching("warning: t-0: cut 5 bytes")
            #expect(lines.count == 1)
            #expect(lines.first?.contains(segment) == true)
        }
    }

    @Test func aLostCatalogueIsMadeAnewFromTheDirectories() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory, configure: { $0.defaultPartitions = 2 }) { broker in
            let client = try await broker.connect()
            _ = try await client.ask(try Requests.produce(["x"], to: "some-topic-1", partition: 1))
        }
        try FileManager.default.removeItem(atPath: directory.appending("data/catalogue"))
        try await withBroker(in: directory) { broker in
            let client = try await broker.connect()
            #expect(try await client.ask(Requests.metadata(nil)).topics.map(\.name) == ["some-topic-1"])
            #expect(try await client.ask(Requests.fetch("some-topic-1", partition: 1)).values == ["x"])
            #expect(broker.log.matching("adopted topic 'some-topic-1' with 2 partitions").count == 1)
        }
    }

    // MARK: What a broker cannot start with

    private func startError(_ configuration: BrokerConfiguration) async throws -> BrokerError? {
        let service = BrokerService(configuration: configuration, logger: LogLines().logger)
        let error = await #expect(throws: BrokerError.self) { try await service.run() }
        await #expect(throws: BrokerError.self) { try await service.listening() }
        return error
    }

    @Test func aPortInUseIsNamed() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            let error = try await self.startError(
                BrokerConfiguration(dataDirectory: directory.appending("other"), port: broker.port))
            #expect(error == .addressInUse(host: "127.0.0.1", port: broker.port))
            #expect(error?.description.contains("\(broker.port)") == true)
        }
    }

    @Test func anAddressOfAnotherMachineIsNamed() async throws {
        let directory = try TemporaryDirectory()
        let error = try await self.startError(
            BrokerConfiguration(dataDirectory: directory.path, host: "192.0.2.1", port: 0))
        guard case .cannotListen(let host, _, _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(host == "192.0.2.1")
    }

    @Test func aDirectoryThatIsUsedNamesTheOtherProcess() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { _ in
            let error = try await self.startError(
                BrokerConfiguration(dataDirectory: directory.appending("data"), port: 0))
            guard case .directoryLocked = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(error?.description.contains("\(ProcessInfo.processInfo.processIdentifier)") == true)
        }
        // It is free again afterwards.
        try await withBroker(in: directory) { _ in }
    }

    @Test func aDirectoryThatCannotBeWrittenIsNamed() async throws {
        let directory = try TemporaryDirectory()
        try Data().write(to: URL(filePath: directory.appending("file")))
        let error = try await self.startError(
            BrokerConfiguration(dataDirectory: directory.appending("file"), port: 0))
        guard case .directoryUnusable(let path, _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(path == directory.appending("file"))
    }

    @Test func aDamagedCatalogueIsNamed() async throws {
        let directory = try TemporaryDirectory()
        try Data("nonsense".utf8).write(to: URL(filePath: directory.appending("catalogue")))
        let error = try await self.startError(BrokerConfiguration(dataDirectory: directory.path, port: 0))
        guard case .damagedFile(let path, _) = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(path == directory.appending("catalogue"))
    }

    @Test func aServiceRunsOnce() async throws {
        let directory = try TemporaryDirectory()
        try await withBroker(in: directory) { broker in
            await #expect(throws: BrokerError.alreadyRun) { try await broker.service.run() }
        }
    }

    @Test func waitingForTheStartCanBeCancelled() async throws {
        let service = BrokerService(
            configuration: BrokerConfiguration(dataDirectory: "/nowhere"), logger: LogLines().logger)
        let waiting = Task { try await service.listening() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    // MARK: Stopping

    @Test func stoppingAnswersThoseWhoWaitAndTakesLessThanTwoSeconds() async throws {
        let directory = try TemporaryDirectory()
        let service = BrokerService(
            configuration: BrokerConfiguration(dataDirectory: directory.path, port: try freePort()),
            logger: LogLines().logger)
        let running = Task { try await service.run() }
        let port = try await service.listening()
        let consumer = try await RawClient.connect(port: port)
        _ = try await consumer.ask(Requests.metadata(["t"]))
        let member = try await RawClient.connect(port: port)
        let join = JoinGroupRequest(
            groupID: "g", sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, protocolType: "consumer",
            protocols: [.init(name: "range")])
        let first = try await member.ask(join, version: 3)
        let second = try await RawClient.connect(port: port)
        try await second.send(join, version: 3)
        try await consumer.send(Requests.fetch("t", waitMs: 60_000))
        let idle = try await RawClient.connect(port: port)
        try await eventually("all requests have been taken") { service.statistics.requests >= 4 }

        let clock = ContinuousClock()
        let begin = clock.now
        running.cancel()
        #expect(try await consumer.answer(to: FetchRequest.self).response.only.errorCode == .none)
        #expect(
            try await second.answer(to: JoinGroupRequest.self, version: 3).response.errorCode
                == .coordinatorNotAvailable)
        try await idle.closedByServer()
        try await running.value
        #expect(clock.now - begin < .seconds(2))
        #expect(first.errorCode == .none)
        await #expect(throws: (any Error).self) { try await RawClient.connect(port: port) }
    }

    @Test func statisticsCount() async throws {
        try await withBroker(in: TemporaryDirectory()) { broker in
            let client = try await broker.connect()
            let batch = try Requests.batch(["a", "b", "c"])
            _ = try await client.ask(Requests.produce(batch, to: "t"))
            let fetched = try await client.ask(Requests.fetch("t"))
            let statistics = broker.service.statistics
            #expect(statistics.connections == 1)
            #expect(statistics.requests == 2)
            #expect(statistics.producedRecords == 3)
            #expect(statistics.producedBytes == batch.bytes.readableBytes)
            #expect(statistics.fetchedBytes == fetched.only.records?.readableBytes)
            #expect(statistics.topics == 1 && statistics.partitions == 1)
            await client.close()
            try await eventually("the connection is gone") { broker.service.statistics.connections == 0 }
        }
    }
}
