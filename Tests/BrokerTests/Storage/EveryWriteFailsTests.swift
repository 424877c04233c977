import CommitLog
import Glibc
import KafkaProtocol
import Logging
import RecordBatch
import TestKit
import Testing

@testable import Broker

/// One operation of the file system fails, each in its turn: of the log, the offsets topic, the catalogue, the producer
/// ids. What was acknowledged is there, nothing else is, and the broker goes on.
@Suite struct EveryWriteFailsTests {
    /// What clients were told.
    private struct Told {
        var records: [Int64: String] = [:]
        var committed: Int64 = -1
        var tried: Int64 = -1
        var retention: String?
    }

    private static let batches = 6

    /// Asks again as a client would; a failed sync is the one thing that trying again does not mend.
    private func retrying(_ attempt: () async throws -> ErrorCode?) async throws -> Bool {
        for _ in 0..<3 where try await attempt() == ErrorCode.none { return true }
        return false
    }

    private func run(_ broker: RunningTestBroker, _ told: inout Told) async throws {
        let client = try await broker.connect()
        var exists = false
        _ = try await self.retrying {
            let code = try await client.ask(
                CreateTopicsRequest(topics: [
                    .init(
                        name: "t", numPartitions: 1, replicationFactor: 1,
                        configs: [.init(name: "segment.bytes", value: "300")])
                ])
            ).topics.first?.errorCode
            exists = code == ErrorCode.none || code == .topicAlreadyExists
            return exists ? ErrorCode.none : code
        }
        #expect(exists)
        _ = try await client.ask(InitProducerIdRequest(transactionalID: nil, transactionTimeoutMs: 1_000))
        for number in 0..<Self.batches {
            let batch = try Requests.batch(
                ["record \(number)"], key: "k", producerID: 1, epoch: 0, sequence: Int32(number))
            var offset: Int64 = -1
            let isTaken = try await self.retrying {
                let answer = try await client.ask(Requests.produce(batch, to: "t")).only
                offset = answer.baseOffset
                return answer.errorCode
            }
            // A sequence must not have a gap.
            guard isTaken else { break }
            told.records[offset] = "record \(number)"
            told.tried = Int64(number)
            let commit = try await self.commit(client, Int64(number))
            if commit { told.committed = Int64(number) }
        }
        let altered = try await client.ask(
            IncrementalAlterConfigsRequest(
                resources: [
                    .init(
                        resourceType: 2, resourceName: "t",
                        configs: [.init(name: "retention.ms", configOperation: 0, value: "-1")])
                ]))
        if altered.responses.map(\.errorCode) == [ErrorCode.none] { told.retention = "-1" }
        // Acknowledged means readable, whatever happened.
        #expect(try await self.values(client) == told.records.sorted { $0.key < $1.key }.map(\.value))
    }

    private func commit(_ client: RawClient, _ offset: Int64) async throws -> Bool {
        try await self.retrying {
            try await client.ask(
                OffsetCommitRequest(
                    groupID: "g", generationIdOrMemberEpoch: -1,
                    topics: [.init(name: "t", partitions: [.init(partitionIndex: 0, committedOffset: offset)])])
            ).topics.first?.partitions.first?.errorCode
        }
    }

    private func values(_ client: RawClient) async throws -> [String] {
        var values: [String] = []
        while true {
            let answer = try await client.ask(Requests.fetch("t", from: Int64(values.count)))
            #expect(answer.only.errorCode == ErrorCode.none)
            let more = try answer.values
            if more.isEmpty { return values }
            values += more
        }
    }

    /// A healthy broker on what is left finds all of it.
    private func check(_ directory: TemporaryDirectory, _ told: Told, _ operation: String) async throws {
        try await withBroker(in: directory, configure: { $0.groups.offsetsPartitions = 1 }) { broker in
            let client = try await broker.connect()
            let values = try await self.values(client)
            let acknowledged = told.records.sorted { $0.key < $1.key }
            // A batch whose sync failed was not acknowledged, but may be there.
            #expect(Array(values.prefix(acknowledged.count)) == acknowledged.map(\.value), "\(operation)")
            #expect(values == (0..<values.count).map { "record \($0)" }, "\(operation)")
            #expect(values.count <= acknowledged.count + 1, "\(operation)")
            let fetched = try await client.ask(
                OffsetFetchRequest(groups: [.init(groupID: "g", topics: [.init(name: "t", partitionIndexes: [0])])]))
            let committed = fetched.groups.first?.topics.first?.partitions.first?.committedOffset ?? -1
            #expect((told.committed...max(told.committed, told.tried)).contains(committed), "\(operation)")
            if let retention = told.retention {
                let described = try await client.ask(
                    DescribeConfigsRequest(resources: [
                        .init(resourceType: 2, resourceName: "t", configurationKeys: ["retention.ms"])
                    ]))
                #expect(described.results.first?.configs.first?.value == retention, "\(operation)")
            }
            // The producer goes on where it was.
            let next = try Requests.batch(
                ["next"], key: "k", producerID: 1, epoch: 0, sequence: Int32(values.count))
            let answer = try await client.ask(Requests.produce(next, to: "t")).only
            #expect(answer.errorCode == ErrorCode.none && answer.baseOffset == Int64(values.count), "\(operation)")
        }
    }

    private func withFaults(
        _ faults: TestKit.FaultyFileSystem, in directory: TemporaryDirectory,
        _ body: (RunningTestBroker) async throws -> Void
    ) async throws {
        try await withBroker(
            in: directory, fileSystem: faults, configure: { $0.groups.offsetsPartitions = 1 }, body)
    }

    @Test(arguments: [EIO, ENOSPC])
    func whatWasAcknowledgedIsThere(_ code: Int32) async throws {
        let healthy = TestKit.FaultyFileSystem()
        let directory = try TemporaryDirectory()
        var told = Told()
        try await self.withFaults(healthy, in: directory) { try await self.run($0, &told) }
        #expect(told.records.count == Self.batches)
        let operations = healthy.operations
        #expect(operations.count > 50)
        for number in 1...operations.count {
            // Syncs do not fail for want of room.
            let kind = operations[number - 1].kind
            if code == ENOSPC, kind == .sync || kind == .syncDirectory || kind == .remove { continue }
            let directory = try TemporaryDirectory()
            let faults = TestKit.FaultyFileSystem()
            faults.failOperation(number, code: code)
            var told = Told()
            do {
                try await self.withFaults(faults, in: directory) { try await self.run($0, &told) }
            } catch let error as BrokerError {
                // It could not start, and said why.
                #expect(told.records.isEmpty && error.description.contains(directory.path), "\(error)")
                var again = Told()
                try await self.withFaults(TestKit.FaultyFileSystem(), in: directory) {
                    try await self.run($0, &again)
                }
                told = again
            }
            let failed = faults.operations.first { $0.number == number }
            let isSync = failed?.kind == .sync || failed?.kind == .syncDirectory
            #expect(isSync || told.records.count == Self.batches, "\(String(describing: failed))")
            try await self.check(directory, told, "\(String(describing: failed))")
        }
    }
}
