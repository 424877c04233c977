import KafkaClient
import MetricModel
import NIOCore
import TestKit
import Testing

@testable import Topology

/// What `weir generate` plays: the same each time, and known again from its ledger.
@Suite("Workloads")
struct WorkloadTests {
    private func text(_ workload: WorkloadText, host: Int, time: Int64) -> String {
        var buffer = ByteBuffer()
        let count = workload.write(
            instance: "x-\(host)", host: host, time: Timestamp(milliseconds: time), to: &buffer)
        let text = String(buffer: buffer)
        #expect(count == text.split(separator: "\n").count)
        return text
    }

    @Test("the text parses into the samples that are said to be in it", arguments: WorkloadKind.allCases)
    func parses(_ kind: WorkloadKind) throws {
        let workload = WorkloadText(kind: kind, seriesCount: 137, seed: 42)
        for time: Int64 in [0, 1_700_000_000_000, 1_700_000_123_457] {
            let text = text(workload, host: 3, time: time)
            var parsed: [String: Double] = [:]
            var bytes = text
            try bytes.withUTF8 { bytes in
                try TextFormat.forEachLine(
                    in: UnsafeRawBufferPointer(bytes), defaultTimestamp: Timestamp(milliseconds: -1)
                ) { error in
                    throw error
                } _: { line in
                    #expect(line.timestamp.milliseconds == time)
                    let labels = try Labels(parsing: line.series)
                    #expect(labels["instance"] == "x-3")
                    #expect(labels.description == String(decoding: line.series, as: UTF8.self), "canonical")
                    parsed[labels.description] = line.value
                }
            }
            let samples = workload.samples(instance: "x-3", host: 3, time: Timestamp(milliseconds: time))
            #expect(parsed == Dictionary(uniqueKeysWithValues: samples.map { ($0.series, $0.value) }))
            #expect(parsed.count == 137, "no two series are the same")
        }
    }

    @Test("values follow from seed, host and time, and counters do not go back")
    func deterministic() {
        let workload = WorkloadText(kind: .disk, seriesCount: 40, seed: 7)
        let again = WorkloadText(kind: .disk, seriesCount: 40, seed: 7)
        #expect(text(workload, host: 1, time: 1_700_000_000_500) == text(again, host: 1, time: 1_700_000_000_500))
        let other = WorkloadText(kind: .disk, seriesCount: 40, seed: 8)
        #expect(text(workload, host: 1, time: 1_700_000_000_500) != text(other, host: 1, time: 1_700_000_000_500))
        var before: [String: Double] = [:]
        for second in Int64(0)..<60 {
            for (series, value) in workload.samples(
                instance: "a", host: 0, time: Timestamp(milliseconds: 1_700_000_000_000 + second * 1000))
            where series.contains("_total{") {
                #expect(value >= before[series] ?? 0)
                before[series] = value
            }
        }
    }

    private func runs(
        hosts: Int, interval: Int, duration: Int, burst: WorkloadSchedule.Burst? = nil,
        shape: WorkloadSchedule.Shape = .spread
    ) -> [WorkloadSchedule.Run] {
        var schedule = WorkloadSchedule(
            hosts: hosts, interval: .milliseconds(interval), duration: .milliseconds(duration), burst: burst,
            shape: shape)
        var runs: [WorkloadSchedule.Run] = []
        while let run = schedule.next() { runs.append(run) }
        return runs
    }

    @Test("hosts are spread over the interval, or all at its beginning, each once an interval")
    func schedule() {
        let spread = runs(hosts: 4, interval: 1000, duration: 2000)
        #expect(spread.map(\.milliseconds) == [0, 250, 500, 750, 1000, 1250, 1500, 1750])
        #expect(spread.map(\.host) == [0, 1, 2, 3, 0, 1, 2, 3])
        let aligned = runs(hosts: 2, interval: 1000, duration: 2001, shape: .aligned)
        #expect(aligned.map(\.milliseconds) == [0, 0, 1000, 1000, 2000, 2000])
        #expect(runs(hosts: 3, interval: 1000, duration: 0).isEmpty)
    }

    @Test("a burst multiplies the runs, and no host has two at one time")
    func burst() {
        let burst = WorkloadSchedule.Burst(factor: 10, start: .seconds(2), length: .seconds(1))
        let runs = runs(hosts: 7, interval: 1000, duration: 5000, burst: burst)
        #expect(runs.count == 7 * (4 + 10))
        #expect(runs.map(\.milliseconds) == runs.map(\.milliseconds).sorted())
        for host in 0..<7 {
            let times = runs.filter { $0.host == host }.map(\.milliseconds)
            #expect(Set(times).count == times.count)
        }
    }

    @Test("what is not possible is said")
    func mistakes() {
        func error(_ change: (inout WorkloadConfiguration) -> Void) -> String {
            var configuration = WorkloadConfiguration(kind: .cpu, target: .subscribers([]))
            change(&configuration)
            do throws(WorkloadError) {
                try configuration.check()
                return ""
            } catch {
                return error.description
            }
        }
        #expect(error { $0.hosts = 0 }.contains("0 hosts"))
        #expect(error { $0.series = 1 << 20 }.contains("1048576 series"))
        #expect(error { $0.instancePrefix = "a b" }.contains("'a b'"))
        #expect(
            error {
                $0.interval = .milliseconds(5)
                $0.burst = WorkloadSchedule.Burst(factor: 10, start: .zero, length: .seconds(1))
            }.contains("10@20s+5s"))
        #expect(error { _ in }.isEmpty)
    }
}
