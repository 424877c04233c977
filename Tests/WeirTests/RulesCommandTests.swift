import FoundationEssentials
import TestKit
import Testing

@Suite("weir rules")
struct RulesCommandTests {
    let weir: WeirProcesses

    init() throws { weir = try WeirProcesses() }

    private func check(_ text: String) async throws -> (status: ChildProcess.ExitStatus, output: String, error: String)
    {
        let path = weir.directory.appending("rules.yaml")
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        let result = try await weir.run(["rules", "check", path])
        return (result.status, result.output, result.error)
    }

    @Test("what each rule will emit is said before anything runs")
    func check() async throws {
        let result = try await check(
            """
            rules:
              - match: node_cpu_seconds_total{mode!="idle"}
                interval: 1m
                by: [instance, mode]
                outputs: [increase, "quantiles(0.5, 1)"]
            alerts:
              - alert: HighLoad
                expr: node_load1 > 8
                for: 5m
            """)
        #expect(result.status == .exited(0), "\(result.error)")
        for line in [
            "1 rule, 1 alert", "rule node_cpu_seconds_total", "(line 2)",
            #"match     node_cpu_seconds_total{mode!="idle"}"#,
            "windows   1m, evaluated when event time is 10s past their end", "groups    by instance, mode",
            "emits     node_cpu_seconds_total:1m_by_instance_mode_increase{instance, mode}",
            #"node_cpu_seconds_total:1m_by_instance_mode_quantiles{instance, mode, quantile="0.5"|"1"}"#,
            "alert HighLoad (line 7)", "when   node_load1 > 8", "fires  when that held for 5m",
        ] { #expect(result.output.contains(line), "\(line) is not in \(result.output)") }
    }

    @Test("everything that is wrong is said with file and line, and the status is 1")
    func errors() async throws {
        let result = try await check(
            "- match: m\n  interval: 1m\n  outputs: [sum]\n- match: n\n  interval: x\n  outputs: [max]\n")
        #expect(result.status == .exited(1))
        #expect(result.error.contains("rules.yaml:3: outputs: there is no output 'sum'"))
        #expect(result.error.contains("rules.yaml:5: interval: 'x' is no duration"))
        let missing = try await weir.run(["rules", "check", weir.directory.appending("none.yaml")])
        #expect(missing.status == .exited(1))
        #expect(missing.error.contains("none.yaml: there is no such file"))
    }
}
