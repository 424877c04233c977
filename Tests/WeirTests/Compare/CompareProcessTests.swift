import FoundationEssentials
import Glibc
import TestKit
import Testing

@Suite("weir compare leaves nothing behind", .serialized)
struct CompareProcessTests {
    /// The processes whose command line names this directory, the runner itself left out.
    private func started(in directory: String, by runner: pid_t) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { identifier in
            guard identifier != runner, identifier != getpid(),
                let data = FileManager.default.contents(atPath: "/proc/\(identifier)/cmdline")
            else { return false }
            return String(decoding: data, as: UTF8.self).contains(directory)
        }
    }

    private func isStopped(_ identifier: pid_t) -> Bool {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(identifier)/task")) ?? []
        return threads.allSatisfy { thread in
            let stat = FileManager.default.contents(atPath: "/proc/\(identifier)/task/\(thread)/stat")
            return String(decoding: stat ?? Data(), as: UTF8.self).split(separator: ")").last?.hasPrefix(" T") == true
        }
    }

    private func start(_ weir: WeirProcesses) throws -> ChildProcess {
        try weir.start([
            "compare", "--stage", "pubsub", "--only", "steady", "--hosts", "2", "--series", "10", "--directory",
            weir.directory.appending("work"),
        ])
    }

    /// Ten processes: six publishers, a broker, three subscribers.
    private func awaitAll(_ weir: WeirProcesses, _ runner: ChildProcess) async throws -> [pid_t] {
        var found: [pid_t] = []
        try await eventually("all processes are there: \(runner.errorOutput)") {
            found = started(in: weir.directory.appending("work"), by: runner.identifier)
            return found.count >= 10
        }
        return found
    }

    @Test func `killed with kill -9, also while one of its processes is stopped`() async throws {
        let weir = try WeirProcesses()
        let runner = try start(weir)
        let processes = try await awaitAll(weir, runner)
        let stopped = try #require(processes.first)
        kill(stopped, SIGSTOP)
        try await eventually("all its threads are stopped") { isStopped(stopped) }
        runner.kill()
        try await eventually("everything it started is gone") {
            started(in: weir.directory.appending("work"), by: runner.identifier).isEmpty
        }
    }

    /// Its threads are on their way to a stop when the parent ends: neither a pipe nor `SIGCONT` reaches such a process.
    @Test(arguments: 0..<4)
    func `killed with kill -9 in the moment in which one of its processes is being stopped`(index: Int) async throws {
        let weir = try WeirProcesses()
        let runner = try start(weir)
        let processes = try await awaitAll(weir, runner)
        // The runner stops none before it is at work.
        try await eventually("all processes have reported") {
            let files = (try? FileManager.default.subpathsOfDirectory(atPath: weir.directory.appending("work"))) ?? []
            return files.count { $0.hasSuffix(".report.json") } >= processes.count
        }
        let stopped = processes[index % processes.count]
        kill(stopped, SIGSTOP)
        runner.kill()
        try await eventually("everything it started is gone") {
            started(in: weir.directory.appending("work"), by: runner.identifier).isEmpty
        }
    }

    @Test func `interrupted with Ctrl-C`() async throws {
        let weir = try WeirProcesses()
        let runner = try start(weir)
        _ = try await awaitAll(weir, runner)
        runner.signal(SIGINT)
        #expect(try await runner.wait() == .exited(130))
        #expect(started(in: weir.directory.appending("work"), by: runner.identifier).isEmpty)
    }

    @Test func `a part that cannot run is named, and what it said`() async throws {
        let weir = try WeirProcesses()
        let file = weir.directory.appending("mine.yaml")
        try """
        stage: mine
        publishers:
          - name: cpu
        subscribers:
          - name: reader
        links:
          - {from: cpu, to: readr}
        """.write(toFile: file, atomically: false, encoding: .utf8)
        let run = try await weir.run(["compare", "--topology", file])
        #expect(run.status == .exited(1))
        #expect(run.error.contains("mine.yaml:7: to: there is no 'readr'; known are cpu, reader"), "\(run.error)")
        let unknown = try await weir.run(["compare", "--stage", "nothing"])
        #expect(unknown.error.contains("there is no stage 'nothing'; shipped are single-direct, "), "\(unknown.error)")
    }
}
