import FoundationEssentials
import Logging
import MetricModel
import SeriesStore
import TestKit
import Testing

@testable import weir

@Suite("weir database")
struct DatabaseCommandTests {
    let weir: WeirProcesses
    let path: String

    init() throws {
        weir = try WeirProcesses()
        path = weir.directory.appending("weir.sqlite")
        var configuration = SeriesWriter.Configuration()
        configuration.limits.perMetric = 3
        let writer = try SeriesWriter(path: path, configuration: configuration, logger: Logger(label: "test"))
        var head = Head()
        for number in 0..<5 {
            let reference = SeriesReference(rawValue: UInt32(number))
            head.define(reference, labels: ["__name__": "requests", "user": "u\(number)"])
            head.append(reference, timestamp: Timestamp(milliseconds: 1_700_000_000_000), value: 1)
        }
        _ = try writer.commit(head)
        try writer.close()
    }

    @Test("stats name what is large and what was refused")
    func stats() async throws {
        let result = try await weir.run(["database", "stats", "--database", path])
        #expect(result.status == .exited(0), "\(result.error)")
        for part in ["requests", "user", "2023-11-14T22:13:20.000Z", "metric requests"] {
            #expect(result.output.contains(part), "\(part) in \(result.output)")
        }
        struct Stats: Decodable {
            let series: Int
            let overflow: [Overflow]
            struct Overflow: Decodable {
                let label: String
                let refusedSeries: Int
            }
        }
        let json = try await weir.run(["database", "stats", "--database", path, "--format", "json"])
        let stats = try JSONDecoder().decode(Stats.self, from: Data(json.output.utf8))
        #expect(stats.series == 3)
        #expect(stats.overflow.map(\.refusedSeries) == [2])
        #expect(stats.overflow.map(\.label) == ["user"])
    }

    @Test("check says that all is well, and fails when it is not")
    func check() async throws {
        let sound = try await weir.run(["database", "check", "--database", path])
        #expect(sound.status == .exited(0), "\(sound.error)")
        #expect(sound.output.contains("no damage"))
        var bytes = try Data(contentsOf: URL(filePath: path))
        for index in 4096..<bytes.count { bytes[index] ^= 0x55 }
        try bytes.write(to: URL(filePath: path))
        let damaged = try await weir.run(["database", "check", "--database", path])
        #expect(damaged.status == .exited(1))
        #expect((damaged.output + damaged.error).contains(path))
    }

    @Test("backup copies, and overwrites nothing")
    func backup() async throws {
        let copy = weir.directory.appending("copy.sqlite")
        let first = try await weir.run(["database", "backup", "--database", path, copy])
        #expect(first.status == .exited(0), "\(first.error)")
        #expect(first.output.contains("3 series"))
        let second = try await weir.run(["database", "backup", "--database", path, copy])
        #expect(second.status == .exited(1))
        #expect(second.error.contains("there already"))
        let missing = try await weir.run(["database", "backup", "--database", path + "x", copy + "2"])
        #expect(missing.error.contains("there is no database"))
    }

    @Test("retention is written by selector and resolution")
    func retention() throws {
        let policy = try RetentionSetting.parse(
            #"{job="a;b",x=~"y z"} raw=2h 1m=1d 1h=1w; raw=30d 1h=forever; up raw=1h"#)
        #expect(policy.rules.map(\.retention.description) == ["raw=2h 1m=1d 1h=1w", "raw=1h 1m=90d 1h=forever"])
        #expect(policy.otherwise.description == "raw=30d 1m=90d 1h=forever")
        #expect(policy.retention(of: ["__name__": "up"]).description == "raw=1h 1m=90d 1h=forever")
        #expect(policy.retention(of: ["job": "a;b", "x": "y z"]).description == "raw=2h 1m=1d 1h=1w")
        for wrong in ["raw=1x", "raw=1y", "{", "up", "raw=2h 1m=1h"] {
            #expect(RetentionSetting(argument: wrong) == nil, "\(wrong)")
        }
    }
}
