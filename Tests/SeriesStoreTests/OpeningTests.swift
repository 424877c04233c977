import FoundationEssentials
import GRDB
import Glibc
import Logging
import MetricModel
@testable import SeriesStore
import TestKit
import Testing

@Suite struct OpeningTests {
    @Test func `a process that has the database for itself, as earlier versions did, is named`() throws {
        let store = try StoreFixture()
        let descriptor = open(store.path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        #expect(write(descriptor, "17\n", 3) == 3)
        var configuration = SeriesWriter.Configuration()
        configuration.openingPatience = .milliseconds(50)
        let error = StoreError.inUse(path: store.path, processID: 17)
        #expect(throws: error) { try store.writer(configuration) }
        #expect("\(error)".contains("process 17"))
        #expect(flock(descriptor, LOCK_UN) == 0)
        try store.writer(configuration).close()
    }

    @Test func `a writer that was closed says so`() throws {
        let store = try StoreFixture()
        let writer = try store.writer()
        try writer.close()
        try writer.close()
        #expect(throws: StoreError.closed(path: store.path)) { try writer.progress() }
    }

    @Test func `a file that is no database is named and left alone`() throws {
        let store = try StoreFixture()
        let text = String(repeating: "not a database\n", count: 100)
        try text.write(toFile: store.path, atomically: false, encoding: .utf8)
        #expect(throws: StoreError.notADatabase(path: store.path)) { try store.writer() }
        #expect(throws: StoreError.notADatabase(path: store.path)) { try store.reader() }
        #expect(FileManager.default.contents(atPath: store.path) == Array(text.utf8).withUnsafeBytes { Data($0) })
    }

    @Test func `another program's database is left alone`() throws {
        let store = try StoreFixture()
        let other = try DatabaseQueue(path: store.path)
        try other.write { database in try database.execute(sql: "CREATE TABLE address (name TEXT)") }
        try other.close()
        #expect(throws: StoreError.foreign(path: store.path)) { try store.writer() }
        #expect(throws: StoreError.foreign(path: store.path)) { try store.reader() }
    }

    @Test func `a newer weir's database is left alone`() throws {
        let store = try StoreFixture()
        try store.writer().close()
        let newer = try DatabaseQueue(path: store.path)
        let version = try newer.write { database in
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            try database.execute(sql: "PRAGMA user_version = 900")
            return version
        }
        try newer.close()
        let expected = StoreError.newerSchema(path: store.path, version: 900, supported: version)
        #expect(throws: expected) { try store.writer() }
        #expect(throws: expected) { try store.reader() }
    }

    @Test func `a reader does not create a database`() throws {
        let store = try StoreFixture()
        #expect(throws: StoreError.missing(path: store.path)) { try store.reader() }
        #expect(!FileManager.default.fileExists(atPath: store.path))
    }

    @Test func `a writer makes the database's directory, but not the one above it`() throws {
        let store = try StoreFixture()
        let path = store.directory.appending("data/weir.sqlite")
        try SeriesWriter(path: path, logger: Logger(label: "test")).close()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test func `a directory that does not exist is an error with the path`() throws {
        let path = "/nowhere/at all/weir.sqlite"
        let error = #expect(throws: StoreError.self) {
            try SeriesWriter(path: path, logger: Logger(label: "test"))
        }
        #expect("\(try #require(error))".contains(path))
    }

    @Test func `a directory instead of a file is an error with the path`() throws {
        let store = try StoreFixture()
        try FileManager.default.createDirectory(atPath: store.path, withIntermediateDirectories: false)
        let error = #expect(throws: StoreError.self) { try store.writer() }
        #expect("\(try #require(error))".contains(store.path))
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
    func `a database that may not be written is named`() throws {
        let store = try StoreFixture()
        try store.writer().close()
        func expectReadOnly() {
            let error = #expect(throws: StoreError.self) { try store.writer() }
            guard case .readOnly(store.path, _) = error else {
                Issue.record("\(error.map { "\($0)" } ?? "no error")")
                return
            }
        }
        chmod(store.path, 0o444)
        expectReadOnly()
        chmod(store.directory.path, 0o555)
        defer { chmod(store.directory.path, 0o755) }
        expectReadOnly()
    }

    /// A database as a process leaves it that is killed in the middle of a transaction before there is a write-ahead log.
    private func leaveTransaction(in store: StoreFixture, madeBy make: (DatabaseQueue) throws -> Void) throws {
        let alive = try StoreFixture()
        let queue = try DatabaseQueue(path: alive.path)
        try make(queue)
        try queue.writeWithoutTransaction { database in
            // More than the cache holds, so that some of it is in the file, and the journal is one that counts.
            try database.execute(
                sql: """
                    PRAGMA cache_size = 2;
                    BEGIN IMMEDIATE;
                    CREATE TABLE never_committed (a);
                    WITH RECURSIVE rows (row) AS (SELECT 1 UNION ALL SELECT row + 1 FROM rows LIMIT 100)
                    INSERT INTO never_committed SELECT randomblob(1000) FROM rows;
                    """)
            for suffix in ["", "-journal"] {
                try FileManager.default.copyItem(atPath: alive.path + suffix, toPath: store.path + suffix)
            }
            try database.execute(sql: "ROLLBACK")
        }
        try queue.close()
    }

    @Test func `a process that was killed while it made the database hinders nobody that writes`() throws {
        let store = try StoreFixture()
        try leaveTransaction(in: store) { queue in
            try queue.write {
                try $0.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
            }
        }
        let error = #expect(throws: StoreError.self) {
            try SeriesReader(path: store.path, busyTimeout: .milliseconds(50))
        }
        #expect(error == .unrecovered(path: store.path, detail: "SQLITE_READONLY_ROLLBACK"))
        #expect(try #require(error).isTransient)
        #expect("\(try #require(error))".contains("start 'weir subscriber' on it"))
        try store.writer().close()
        #expect(try store.reader().seriesCount() == 0)
    }

    @Test func `a reader waits until somebody has undone what a killed process left`() async throws {
        let store = try StoreFixture()
        try leaveTransaction(in: store) { try Schema.migrate($0) }
        let reading = Task.detached {
            let reader = try SeriesReader(path: store.path, busyTimeout: .seconds(60))
            defer { try? reader.close() }
            return try reader.seriesCount()
        }
        // Long enough for the reader to have met it, most of the time; it is as right when it comes later.
        try await Task.sleep(for: .milliseconds(100))
        try store.writer().close()
        #expect(try await reading.value == 0)
    }

    @Test func `damage is reported with the file, not as a trap`() throws {
        var random = SeededGenerator()
        let original = try StoreFixture()
        let writer = try original.writer()
        var head = Head()
        for series in 0..<200 {
            head.define(SeriesReference(series), labels: .load(host: series))
            head.append(SeriesReference(series), timestamp: .at(0), value: 1)
        }
        _ = try writer.commit(head)
        try writer.close()
        let intact = try #require(FileManager.default.contents(atPath: original.path))
        var found = 0
        for _ in 0..<60 {
            let store = try StoreFixture()
            var bytes = [UInt8](intact)
            for _ in 0..<Int.random(in: 1...400, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try Data(bytes).write(to: URL(fileURLWithPath: store.path))
            do {
                let writer = try store.writer()
                _ = try writer.commit(head)
                let reader = try store.reader()
                let ids = try reader.series(matching: []).map(\.id)
                _ = try reader.samples(of: ids, from: .beginning, to: .end)
                try writer.close()
            } catch let error as StoreError {
                found += 1
                #expect("\(error)".contains(store.path))
            }
        }
        #expect(found > 20, "of 60 damaged files \(found) were noticed")
    }
}
