import Glibc
import MetricModel
import Synchronization
import TestKit
import Testing

@testable import MetricAgent

/// The files of a made-up host and what its collectors should say.
private enum Fixture {
    static let directory =
        #filePath.prefix(through: #filePath.lastIndex(of: "/") ?? #filePath.startIndex) + "Fixtures/host"
    static let roots = KernelRoots(proc: "\(directory)/proc", sys: "\(directory)/sys")

    static func expected(_ name: CollectorName) throws -> String {
        try KernelFile("\(directory)/expected/\(name).prom").text
    }

    static func collect(_ collector: any Collector) throws -> String {
        var collector = collector
        var samples = SampleWriter(instance: "h", timestamp: Timestamp(milliseconds: 1_767_225_600_000))
        try collector.collect(into: &samples)
        return String(decoding: samples.bytes, as: UTF8.self)
    }
}

@Suite struct CollectorTests {
    @Test(arguments: [CollectorName.cpu, .memory, .load, .disk, .network])
    func `a collector tells of the host what node_exporter would`(name: CollectorName) throws {
        let text = try Fixture.collect(name.makeCollector(roots: Fixture.roots))
        #expect(text == (try Fixture.expected(name)))
    }

    @Test func `file systems are told with the same labels, a stuck and a broken one with their errors`() throws {
        let release = Mutex(false)
        let probe = FilesystemProbe(timeout: .milliseconds(50)) { mountPoint in
            switch mountPoint {
            case "/mnt/nas":
                while !release.withLock({ $0 }) { usleep(1000) }
                return .failed("late")
            case "/mnt/gone": return .failed(String(cString: strerror(EIO)))
            default:
                return .usage(
                    FilesystemProbe.Usage(
                        sizeBytes: 4_096_000, freeBytes: 2_048_000, availableBytes: 1_024_000, files: 100, freeFiles: 60
                    ))
            }
        }
        defer { release.withLock { $0 = true } }
        let text = try Fixture.collect(FilesystemCollector(roots: Fixture.roots, probe: probe))
        #expect(text == (try Fixture.expected(.filesystem)))
    }

    @Test(arguments: CollectorName.allCases)
    func `every collector has samples of this very host`(name: CollectorName) throws {
        let text = try Fixture.collect(name.makeCollector(roots: KernelRoots()))
        var count = 0
        Array(text.utf8).withUnsafeBytes { bytes in
            TextFormat.forEachLine(in: bytes, defaultTimestamp: Timestamp(milliseconds: 0)) {
                Issue.record("\($0)")
            } _: { line in
                count += 1
                #expect((try? Labels(parsing: line.series)["instance"]) == "h")
            }
        }
        // A container may have no disk of its own.
        #expect(count > 0 || name == .disk)
    }

    @Test func `counters that step back a little keep their greatest value, a restarted CPU's start anew`() throws {
        let directory = try TemporaryDirectory()
        var collector = CPUCollector(roots: KernelRoots(proc: directory.path))
        func idleAndWait(_ line: String) throws -> [String] {
            try Array("cpu 0 0\n\(line)\n".utf8).write(to: directory.appending("stat"))
            var samples = SampleWriter(instance: "h", timestamp: Timestamp(milliseconds: 0))
            try collector.collect(into: &samples)
            let lines = String(decoding: samples.bytes, as: UTF8.self).split(separator: "\n")
            return lines.filter { $0.contains("idle") || $0.contains("iowait") }.map {
                String($0.split(separator: " ")[1])
            }
        }
        #expect(try idleAndWait("cpu0 1 1 1 1000 500 0 0 0 0 0") == ["10", "5"])
        #expect(try idleAndWait("cpu0 1 1 1 990 400 0 0 0 0 0") == ["10", "5"])
        #expect(try idleAndWait("cpu0 1 1 1 600 400 0 0 0 0 0") == ["6", "4"])
    }

    @Test(
        arguments: [
            (.cpu, "stat", "cpu0 1 x 3"), (.cpu, "stat", "intr 1"), (.memory, "meminfo", "MemTotal 1 kB"),
            (.memory, "meminfo", "MemTotal: 1 MB"), (.load, "loadavg", "0.1 0.2"), (.disk, "diskstats", "8 0 sda 1 2"),
            (.network, "net/dev", "lo 1 2 3"), (.network, "net/dev", "lo: 1 2 3"),
            (.filesystem, "1/mountinfo", "27 1 8:1 / /"),
        ] as [(CollectorName, String, String)])
    func `a file that is not understood is named with the line`(name: CollectorName, file: String, line: String) throws
    {
        let directory = try TemporaryDirectory()
        mkdir(directory.appending("net"), 0o755)
        mkdir(directory.appending("1"), 0o755)
        let path = directory.appending(file)
        try Array("\(line)\n".utf8).write(to: path)
        let error = try #require(throws: CollectorError.self) {
            try Fixture.collect(name.makeCollector(roots: KernelRoots(proc: directory.path)))
        }
        guard case .malformed(path, let text) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(text.hasPrefix(line.prefix(4)))
    }

    @Test func `a file that is missing is named with the reason`() throws {
        let error = try #require(throws: CollectorError.self) {
            try Fixture.collect(LoadCollector(roots: KernelRoots(proc: "/nowhere")))
        }
        #expect(error.description == "cannot read /nowhere/loadavg: No such file or directory")
    }

    @Test func `an unknown collector is refused with the list of those there are`() throws {
        #expect(try CollectorName.list(parsing: "load, cpu,load") == [.load, .cpu])
        let error = try #require(throws: UnknownCollectorError.self) { try CollectorName.list(parsing: "cpu,gpu") }
        #expect(
            error.description
                == "there is no collector 'gpu'; the collectors are cpu, memory, load, filesystem, disk, network")
    }
}

@Suite struct FilesystemProbeTests {
    @Test func `a mount that hangs costs one timeout, is left alone, and comes back by itself`() async throws {
        let release = Mutex(false)
        let questions = Mutex<[String]>([])
        let probe = FilesystemProbe(timeout: .milliseconds(100)) { mountPoint in
            questions.withLock { $0.append(mountPoint) }
            while mountPoint == "/dead", !release.withLock({ $0 }) { usleep(1000) }
            return .usage(FilesystemProbe.Usage(sizeBytes: 1))
        }
        #expect(probe.ask("/").error == nil)
        #expect(probe.ask("/dead").error == "mountpoint timeout")
        #expect(probe.ask("/").error == nil)
        #expect(probe.ask("/dead").error == "mountpoint timeout")
        #expect(questions.withLock { $0 } == ["/", "/dead", "/"])
        release.withLock { $0 = true }
        try await eventually("the mount answers again") { probe.ask("/dead").error == nil }
    }
}

extension [UInt8] {
    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw TestKitError.systemCall("fopen \(path)", errno) }
        defer { fclose(file) }
        guard fwrite(self, 1, count, file) == count else { throw TestKitError.systemCall("fwrite", errno) }
    }
}
