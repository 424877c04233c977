import KafkaProtocol
import NIOCore
import TestKit
import Testing

@testable import KafkaClient

@Suite struct ClusterTests {
    private func cluster(_ port: Int, lines: LogLines = LogLines(), requestTimeout: Duration = .seconds(5)) -> Cluster {
        Cluster(configuration: .local(port: port, requestTimeout: requestTimeout), logger: lines.logger)
    }

    @Test func unreachableClusterIsOneLineAndOneMoreWhenItIsBack() async throws {
        let fake = FakeCluster(topics: ["t": 1])
        try await fake.listen()
        await fake.stop()
        let lines = LogLines()
        let cluster = cluster(fake.port, lines: lines)
        for _ in 0..<5 {
            await #expect(
                throws: KafkaClientError.unreachable(
                    BrokerAddress(host: "127.0.0.1", port: fake.port), reason: "connection refused")
            ) {
                try await cluster.send(ListGroupsRequest(), to: .any)
            }
        }
        #expect(lines.visible == ["warning: cannot reach 127.0.0.1:\(fake.port): connection refused; retrying"])
        try await fake.listen()
        #expect(try await cluster.refreshMetadata().topics.count == 1)
        #expect(lines.visible.count == 2)
        #expect(lines.visible[1].hasPrefix("info: reached 127.0.0.1:\(fake.port) again after "))
        cluster.close()
        await fake.stop()
    }

    @Test func anyBootstrapAddressThatAnswersIsEnough() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 2])
        var configuration = ClientConfiguration.local(port: try freePort())
        configuration.bootstrap.append(BrokerAddress(host: "127.0.0.1", port: fake.port))
        let cluster = Cluster(configuration: configuration, logger: LogLines().logger)
        let metadata = try await cluster.metadata(of: [try topic("t")])
        #expect(metadata.partitionCount(of: try topic("t")) == 2)
        #expect(metadata.leader(of: try partition("t", 1)) == 1)
        #expect(metadata.brokers[1]?.address.port == fake.port)
        #expect(metadata.clusterID == "fake")
        cluster.close()
        await fake.stop()
    }

    @Test func concurrentRequestsShareOneConnection() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        let cluster = cluster(fake.port)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { _ = try await cluster.send(MetadataRequest(topics: nil), to: .any) }
            }
            try await group.waitForAll()
        }
        #expect(fake.broker?.connectionCount == 1)
        #expect(fake.broker?.count(.apiVersions) == 1)
        let lane = ConnectionLane()
        _ = try await cluster.send(MetadataRequest(topics: nil), to: .broker(1), lane: lane)
        #expect(fake.broker?.connectionCount == 2)
        cluster.close()
        await fake.stop()
    }

    @Test func freshMetadataIsAskedForOnceByMany() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        let cluster = cluster(fake.port)
        let name = try topic("t")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await cluster.metadata(of: [name]) } }
            try await group.waitForAll()
        }
        #expect(fake.broker?.count(.metadata) == 1)
        cluster.invalidateMetadata(of: [name])
        _ = try await cluster.metadata(of: [name])
        #expect(fake.broker?.count(.metadata) == 2)
        cluster.close()
        await fake.stop()
    }

    @Test func oldBrokerIsSpokenToInItsVersion() async throws {
        let broker = try await ScriptedBroker.start { frame in
            switch (frame.header.apiKey, frame.header.apiVersion) {
            case (.apiVersions, 0):
                return .answer(
                    ApiVersionsResponse(apiKeys: [
                        ApiVersionsResponse.ApiVersion(apiKey: 18, minVersion: 0, maxVersion: 0),
                        ApiVersionsResponse.ApiVersion(apiKey: 3, minVersion: 0, maxVersion: 1),
                    ]))
            case (.apiVersions, _):
                // KIP-511: the answer to a version it does not know is in the form of version 0.
                var buffer = ByteBuffer()
                try ApiVersionsResponse(errorCode: .unsupportedVersion).writeFrame(
                    into: &buffer, version: 0, correlationID: frame.header.correlationID)
                return .bytes(buffer)
            case (.metadata, 1):
                return .answer(MetadataResponse(controllerID: 4))
            default:
                return .hangUp
            }
        }
        let cluster = cluster(broker.port)
        let answer = try await cluster.send(MetadataRequest(topics: nil), to: .any)
        #expect(answer.controllerID == 4)
        #expect(broker.requests.map(\.apiVersion) == [3, 0, 1])
        await #expect(
            throws: KafkaClientError.unsupported(
                BrokerAddress(host: "127.0.0.1", port: broker.port), request: "listGroups")
        ) {
            try await cluster.send(ListGroupsRequest(), to: .any)
        }
        cluster.close()
        await broker.stop()
    }

    @Test func brokerThatStopsAnsweringIsLeftAndTriedAgain() async throws {
        let broker = try await ScriptedBroker.start { frame in
            frame.header.apiKey == .apiVersions ? .answer(FakeCluster.versions()) : .nothing
        }
        let cluster = cluster(broker.port)
        for _ in 0..<2 {
            await #expect {
                try await cluster.send(ListGroupsRequest(), to: .any, timeout: .milliseconds(50))
            } throws: { error in
                if case KafkaClientError.timedOut = error { true } else { false }
            }
        }
        #expect(broker.connectionCount == 2)
        cluster.close()
        await broker.stop()
    }

    @Test func listenerThatIsNoBrokerIsNamedAsSuch() async throws {
        let broker = try await ScriptedBroker.start { _ in
            .bytes(ByteBuffer(string: "HTTP/1.1 400 Bad Request\r\n\r\n"))
        }
        let lines = LogLines()
        let cluster = cluster(broker.port, lines: lines)
        await #expect {
            try await cluster.send(ListGroupsRequest(), to: .any)
        } throws: { error in
            "\(error)".contains("is it a Kafka broker?")
        }
        #expect(lines.visible.count == 1)
        cluster.close()
        await broker.stop()
    }

    @Test func lanesThatAreClosedAreDisconnected() async throws {
        let broker = try await ScriptedBroker.start { frame in
            frame.header.apiKey == .apiVersions ? .answer(FakeCluster.versions()) : .nothing
        }
        let cluster = cluster(broker.port)
        let lane = ConnectionLane()
        let waiting = Task { try await cluster.send(ListGroupsRequest(), to: .any, lane: lane) }
        try await eventually("the request has arrived") { broker.count(.listGroups) == 1 }
        cluster.close(lane)
        await #expect(throws: KafkaClientError.closed) { try await waiting.value }
        cluster.close()
        await broker.stop()
    }

    @Test func closingEndsEverythingAtOnce() async throws {
        let silent = try await ScriptedBroker.start { _ in .nothing }
        let cluster = cluster(silent.port)
        // One in the midst of connecting, one that waits for it.
        let tasks = (0..<2).map { _ in Task { try await cluster.send(ListGroupsRequest(), to: .any) } }
        try await eventually("the versions are asked for") { silent.count(.apiVersions) == 1 }
        let start = ContinuousClock.now
        cluster.close()
        for task in tasks { await #expect(throws: KafkaClientError.closed) { try await task.value } }
        #expect(.now - start < .seconds(1))
        await #expect(throws: KafkaClientError.closed) { try await cluster.send(ListGroupsRequest(), to: .any) }
        await silent.stop()
    }

    @Test func cancellationReachesWhoeverConnectsAndWhoeverWaits() async throws {
        let silent = try await ScriptedBroker.start { _ in .nothing }
        let cluster = cluster(silent.port)
        let connecting = Task { try await cluster.send(ListGroupsRequest(), to: .any) }
        try await eventually("the versions are asked for") { silent.count(.apiVersions) == 1 }
        let waiting = Task { try await cluster.send(ListGroupsRequest(), to: .any) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        connecting.cancel()
        await #expect(throws: CancellationError.self) { try await connecting.value }
        cluster.close()
        await silent.stop()
    }

    @Test func adminDoesNotWaitForAClusterThatIsNotThere() async throws {
        let cluster = cluster(try freePort())
        let admin = Admin(cluster: cluster)
        await #expect {
            try await admin.listTopics()
        } throws: { error in
            "\(error)".contains("connection refused")
        }
        cluster.close()
    }

    @Test func adminSaysWhichTopicIsMissing() async throws {
        let fake = try await FakeCluster.start(topics: ["t": 1])
        let cluster = cluster(fake.port)
        let admin = Admin(cluster: cluster)
        #expect(try await admin.listTopics().map(\.name.rawValue) == ["t"])
        await #expect(throws: KafkaClientError.unknownTopic(try topic("missing"))) {
            try await admin.describeTopics([try topic("t"), try topic("missing")])
        }
        cluster.close()
        await fake.stop()
    }
}
