import FoundationEssentials
import Glibc
import SeriesStore
import TestKit
import Testing

/// A broker that comes back from an older copy of its directory, under a database that has read further.
@Suite("A broker restored from a backup")
struct RestoredBrokerTests {
    @Test("what is new is read, however far the log has grown by then", arguments: [2, 9])
    func newRecordsAreRead(newRecords: Int) async throws {
        let weir = try WeirProcesses()
        let directory = weir.directory.appending("broker")
        var next = 0
        // An hour ago, which retention keeps.
        let start = (Int64(time(nil)) - 3600) * 1000
        /// Sends records with a time of their own each, and nothing else to know them by.
        func send(_ count: Int, _ address: String) async throws {
            let lines = (next..<next + count).map { "up \($0) \(start + Int64($0))" }
            next += count
            let path = weir.directory.appending("lines")
            try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: false, encoding: .utf8)
            let run = try await weir.run(["produce", "metrics.up", "--file", path, "--bootstrap", address])
            #expect(run.status == .exited(0), "\(run.error)")
        }
        func untilStored(_ count: Int, _ address: String) async throws -> String {
            let subscriber = try weir.startSubscriber(address)
            try await eventually("\(count) samples are stored: \(subscriber.errorOutput)") {
                (try? StoredSamples(database: weir.database).count) == count
            }
            subscriber.signal(SIGTERM)
            #expect(try await subscriber.wait() == .exited(0))
            return subscriber.errorOutput
        }
        func stop(_ broker: ChildProcess) async throws {
            broker.signal(SIGTERM)
            #expect(try await broker.wait() == .exited(0), "\(broker.errorOutput)")
        }

        var (broker, address) = try await weir.startBroker()
        try await send(5, address)
        _ = try await untilStored(5, address)
        try await stop(broker)
        try FileManager.default.copyItem(atPath: directory, toPath: directory + "-copy")
        (broker, address) = try await weir.startBroker(name: "broker-later")
        try await send(4, address)
        _ = try await untilStored(9, address)
        try await stop(broker)

        try FileManager.default.removeItem(atPath: directory)
        try FileManager.default.moveItem(atPath: directory + "-copy", toPath: directory)
        (broker, address) = try await weir.startBroker(name: "broker-restored")
        try await send(newRecords, address)
        let said = try await untilStored(9 + newRecords, address)
        #expect(said.contains("the broker runs on an older directory"), "\(said)")
        try await stop(broker)
    }
}
