import TestKit

/// The `weir` processes of one test, with their files in a directory that goes with it.
final class WeirProcesses: Sendable {
    let directory: TemporaryDirectory
    private let executable: String

    /// - Parameter executable: another one than the one that was built with the tests.
    init(executable: String? = nil) throws {
        directory = try TemporaryDirectory("weir-test")
        self.executable = try executable ?? builtExecutable("weir")
    }

    /// Starts `weir` with these arguments; `name` names its output files.
    func start(
        _ arguments: [String], name: String? = nil, environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(
            executable, arguments, name: name ?? "weir-\(arguments.first ?? "")", directory: directory.path,
            environment: environment)
    }

    /// Runs `weir` to its end.
    func run(
        _ arguments: [String], environment: [String: String] = [:], within deadline: Duration = .seconds(20)
    ) async throws -> (status: ChildProcess.ExitStatus, output: String, error: String) {
        let run = try TemporaryDirectory("weir-run")
        let process = try ChildProcess(
            executable, arguments, name: "run", directory: run.path, environment: environment)
        let status = try await process.wait(within: deadline)
        return (status, process.output, process.errorOutput)
    }

    /// Starts a broker on a free port, or on `port` again, and waits until it accepts.
    ///
    /// - Parameter selfMetrics: off, so that a test finds in the topics what it put there.
    func startBroker(
        port: Int? = nil, name: String = "broker", selfMetrics: String = "off", _ more: [String] = []
    ) async throws -> (process: ChildProcess, address: String) {
        let process = try start(
            [
                "broker", "--data-dir", directory.appending("broker"), "--listen",
                "127.0.0.1:\(try port ?? freePort())",
                "--self-metrics", selfMetrics,
            ] + more, name: name)
        try await eventually("the broker listens: \(process.errorOutput)") {
            process.listeningAddress != nil || process.poll() != nil
        }
        guard let address = process.listeningAddress else {
            throw TestKitError.process("the broker ended: \(process.errorOutput)")
        }
        return (process, address)
    }

    var database: String { directory.appending("weir.sqlite") }

    func startSubscriber(
        _ address: String, name: String = "subscriber", selfMetrics: String = "off", _ more: [String] = []
    ) throws -> ChildProcess {
        try start(
            ["subscriber", "--bootstrap", address, "--database", database, "--self-metrics", selfMetrics] + more,
            name: name)
    }

    func startAgent(_ address: String, instance: String, _ more: [String] = []) throws -> ChildProcess {
        try start(
            [
                "agent", "--bootstrap", address, "--instance", instance, "--spool-dir", spool(instance), "--interval",
                "100ms",
            ] + more, name: "agent-\(instance)")
    }

    func spool(_ instance: String) -> String { directory.appending("spool-\(instance)") }
}

extension ChildProcess {
    /// The `host:port` of the last "listening on" line that a broker or demo wrote.
    var listeningAddress: String? {
        for marker in ["listening on ", "broker on "] {
            for line in (output + errorOutput).split(separator: "\n").reversed() {
                guard let range = line.firstRange(of: marker) else { continue }
                return String(line[range.upperBound...].prefix { $0.isNumber || $0 == "." || $0 == ":" })
            }
        }
        return nil
    }
}
