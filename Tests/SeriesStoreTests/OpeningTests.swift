import FoundationEssentials
import GRDB
import Glibc
import Logging
import MetricModel
import SeriesStore
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
        chmod(store.path, 0o444)
        #expect(throws: StoreError.readOnly(path: store.path)) { try store.writer() }
        chmod(store.directory.path, 0o555)
        defer { chmod(store.directory.path, 0o755) }
        #expect(throws: StoreError.readOnly(path: store.path)) { try store.writer() }
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
