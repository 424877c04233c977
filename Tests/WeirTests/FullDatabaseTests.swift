import FoundationEssentials
import GRDB
import Glibc
import Logging
import SeriesStore
import TestKit
import Testing

/// A database without room for what comes.
@Suite("A full database", .serialized)
struct FullDatabaseTests {
    private static let series = 2000

    private let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    /// Makes a database of which most is something else's, which can be taken away.
    private func makeDatabase() throws -> DatabaseQueue {
        try SeriesWriter(path: weir.database, logger: Logger(label: "test")).close()
        let queue = try DatabaseQueue(path: weir.database)
        try queue.write { database in
            try database.execute(sql: "CREATE TABLE ballast AS SELECT zeroblob(2000000) AS bytes")
        }
        _ = try queue.writeWithoutTransaction { try $0.checkpoint(.truncate) }
        return queue
    }

    private func send(_ address: String) async throws {
        let path = weir.directory.appending("lines")
        let now = Int64(time(nil)) * 1000
        let lines = (0..<Self.series).map {
            "up{n=\"\($0)\",padding=\"\(String(repeating: "x", count: 100))\"} \($0) \(now)\n"
        }
        try lines.joined().write(toFile: path, atomically: false, encoding: .utf8)
        let run = try await weir.run(["produce", "metrics.up", "--file", path, "--bootstrap", address])
        #expect(run.status == .exited(0), "\(run.error)")
    }

    private func count() throws -> Int { try StoredSamples(database: weir.database).count }

    /// A subscriber that has found the database full; its size when it was made.
    private func startFull(_ address: String) async throws -> ChildProcess {
        var status = stat()
        #expect(stat(weir.database, &status) == 0)
        let limit = (Int(status.st_size) >> 10) + 64
        let subscriber = try weir.startSubscriber(address, ["--max-database-size", "\(limit)KiB"])
        try await send(address)
        try await eventually("it is full: \(subscriber.errorOutput)") {
            subscriber.errorOutput.contains("no space is left for the database '\(weir.database)'")
        }
        #expect(try count() < Self.series)
        return subscriber
    }

    @Test("it is named, and when there is room committing goes on with nothing lost")
    func goesOn() async throws {
        let (broker, address) = try await weir.startBroker()
        let queue = try makeDatabase()
        let subscriber = try await startFull(address)
        try await queue.write { try $0.execute(sql: "DROP TABLE ballast") }
        try queue.close()
        try await eventually("all are stored: \(subscriber.errorOutput)") { try count() == Self.series }
        #expect(subscriber.errorOutput.contains("the database can be written again"))
        subscriber.signal(SIGTERM)
        #expect(try await subscriber.wait() == .exited(0))
        withExtendedLifetime(broker) {}
    }

    @Test("shut down while it is full, the next start with a higher limit stores the rest")
    func shutDown() async throws {
        let (broker, address) = try await weir.startBroker()
        try makeDatabase().close()
        let full = try await startFull(address)
        full.signal(SIGTERM)
        #expect(try await full.wait() == .exited(0), "\(full.errorOutput)")
        #expect(try count() < Self.series)
        let subscriber = try weir.startSubscriber(address, name: "roomy", ["--max-database-size", "1GiB"])
        try await eventually("all are stored: \(subscriber.errorOutput)") { try count() == Self.series }
        withExtendedLifetime(broker) {}
    }
}
