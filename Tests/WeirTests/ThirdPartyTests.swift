import FoundationEssentials
import Glibc
import TestKit
import Testing

/// kcat and sqlite3 against a running pipeline, as the README shows them.
@Suite("With other people's tools", .serialized)
struct ThirdPartyTests {
    private func find(_ program: String) throws -> String {
        try #require(
            ["/usr/bin", "/usr/local/bin", "/bin"].map { "\($0)/\(program)" }.first {
                FileManager.default.isExecutableFile(atPath: $0)
            }, "\(program) is missing: run scripts/setup --test")
    }

    private func run(
        _ program: String, _ arguments: [String], input: String? = nil
    ) async throws -> (status: ChildProcess.ExitStatus, output: String) {
        let directory = try TemporaryDirectory("weir-tool")
        let process = try ChildProcess(
            try find(program), arguments, name: program, directory: directory.path, input: input)
        return (try await process.wait(), process.output + process.errorOutput)
    }

    @Test("kcat lists, reads and publishes; what it published is in the query and in sqlite3")
    func readme() async throws {
        let weir = try WeirProcesses()
        let data = weir.directory.appending("demo")
        let demo = try weir.start(["demo", "--data-dir", data, "--broker-port", "0"])
        try await eventually("the demo is up: \(demo.errorOutput)") { demo.output.contains(" samples/s") }
        let address = try #require(demo.listeningAddress)

        try await eventually("kcat lists the topics") {
            let topics = try await run("kcat", ["-b", address, "-L"])
            #expect(topics.status == .exited(0))
            return topics.output.contains(#"topic "metrics.cpu" with 1 partitions"#)
        }

        let records = try await run("kcat", ["-b", address, "-C", "-t", "metrics.cpu", "-c", "2", "-o", "beginning"])
        #expect(records.status == .exited(0))
        #expect(records.output.contains("node_cpu_seconds_total{"))

        for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
            let published = try await run(
                "kcat", ["-P", "-b", address, "-t", "metrics.custom", "-k", "lab", "-z", codec],
                input: "room_temperature_celsius{room=\"\(codec)\"} 21.5\nthis is no sample\n")
            #expect(published.status == .exited(0), "\(codec): \(published.output)")
        }
        let query = ["query", "--database", "\(data)/weir.sqlite", "room_temperature_celsius", "--format", "csv"]
        try await eventually("all five rooms are stored") {
            try await weir.run(query).output.split(separator: "\r\n").count == 6
        }

        let rejected = try await run(
            "kcat",
            ["-b", address, "-C", "-t", "metrics.rejected", "-c", "5", "-o", "beginning", "-f", "%s|%h\n"])
        #expect(rejected.output.contains("this is no sample|"))
        #expect(rejected.output.contains("metrics.custom"))

        let windows = try await run(
            "sqlite3",
            [
                "\(data)/weir.sqlite",
                "SELECT time, series, count, min, mean, max FROM minutes WHERE metric = 'node_load1'",
            ])
        #expect(windows.output.contains("node_load1{"))

        let group = try await weir.run(["group", "describe", "weir", "--bootstrap", address])
        #expect(group.output.contains("metrics.cpu"))

        demo.signal(SIGINT)
        let demoStatus = try await demo.wait()
        #expect(demoStatus == .exited(0))
    }
}
