import Instruments
import MetricModel
import Testing

@testable import MetricRegistry

@Suite("Reports: a service's own totals become swift-metrics' counters")
struct ReportTests {
    private let bytes = Metric(.counter, "app_bytes_total", by: ["topic"], "Bytes.")
    private let busy = Metric(.counter, "app_busy_seconds_total", "Seconds.")
    private let depth = Metric(.gauge, "app_depth", "Depth.")

    @Test("totals are passed on as what they grew by, readings as they are")
    func rounds() {
        let registry = MetricRegistry()
        var report = MetricReport(to: registry)
        for (total, seconds, reading) in [(10, 0.5, 1), (10, 0.5, 0), (25, 2.25, 7)] {
            report.report {
                $0.count(bytes, total, ["a"])
                $0.count(busy, seconds: seconds)
                $0.reading(depth, reading)
            }
            #expect(registry.value("app_bytes_total", ["topic": "a"]) == Double(total))
            #expect(registry.value("app_busy_seconds_total") == seconds)
            #expect(registry.value("app_depth") == Double(reading))
        }
    }

    @Test("a series that a round does not mention is withdrawn, and begins anew when it comes back")
    func withdrawal() {
        let registry = MetricRegistry()
        var report = MetricReport(to: registry)
        report.report {
            $0.count(bytes, 5, ["a"])
            $0.count(bytes, 6, ["b"])
        }
        report.report { $0.count(bytes, 7, ["b"]) }
        #expect(registry.value("app_bytes_total", ["topic": "a"]) == nil)
        #expect(registry.value("app_bytes_total", ["topic": "b"]) == 7)
        report.report { $0.count(bytes, 2, ["a"]) }
        #expect(registry.value("app_bytes_total", ["topic": "a"]) == 2)
    }

    @Test("a total that went down began anew, as counters of a restarted process do")
    func restart() {
        let registry = MetricRegistry()
        var report = MetricReport(to: registry)
        for total in [100, 3] { report.report { $0.count(bytes, total, ["a"]) } }
        #expect(registry.value("app_bytes_total") == 3)
    }
}

@Suite("Metrics of the process")
struct ProcessMetricsTests {
    @Test("they are those of Prometheus's client libraries, and say what is so")
    func ofThisProcess() throws {
        let registry = MetricRegistry(constantLabels: ["job": "test"], readsProcess: true)
        let families = registry.collect()
        for metric in ProcessMetrics.all {
            let family = try #require(families.first { $0.name == metric.name }, "\(metric.name)")
            #expect(family.readings.count == 1 && family.kind == metric.kind && !family.help.isEmpty)
            #expect(family.readings.first?.series["job"] == "test")
        }
        let cpu = try #require(registry.value("process_cpu_seconds_total"))
        var burnt = 0
        while (registry.value("process_cpu_seconds_total") ?? 0) < cpu + 0.001 { burnt &+= 1 }
        let start = try #require(registry.value("process_start_time_seconds"))
        let now = Double(Timestamp.now().milliseconds) / 1000
        // The start is known to a hundredth of a second, and the kernel's own start to a second.
        #expect(start < now + 2 && start > now - 86_400)
        let resident = try #require(registry.value("process_resident_memory_bytes"))
        #expect(resident > 1_048_576)
        #expect(try #require(registry.value("process_virtual_memory_bytes")) >= resident)
        let open = try #require(registry.value("process_open_fds"))
        #expect(open >= 3)
        #expect(try #require(registry.value("process_max_fds")) >= open)
    }

    @Test("a program may be called what it likes")
    func oddProgramName() {
        let fields = (3...52).map { $0 == 22 ? "777" : $0 == 23 ? "1024" : $0 == 24 ? "9" : "0" }
        let status = ProcessStatus("12 (a) R (b) " + fields.joined(separator: " ") + "\n")
        #expect(status?.startTicks == 777 && status?.virtualBytes == 1024 && status?.residentPages == 9)
        #expect(ProcessStatus("12 (a) R 1 2") == nil)
        #expect(ProcessStatus(nil) == nil)
        #expect(ProcessStatus.bootSeconds("cpu 1 2\nbtime 1767225600\n") == 1_767_225_600)
    }
}

extension MetricRegistry {
    /// The value of the first series with this name and these labels; nil if there is none.
    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        collect().lazy.flatMap(\.readings).first { reading in
            reading.series.metricName == name && labels.allSatisfy { reading.series[$0.key] == $0.value }
        }?.value
    }
}
