/// The seconds every CPU spent in every mode, from /proc/stat.
///
/// The kernel's idle and iowait counters step back a little now and then, which would look like a restarted counter;
/// so the greatest value seen stays, unless idle steps back by three seconds or more: then the CPU was taken away and
/// given back, and its counters did start anew. (node_exporter does the same.)
struct CPUCollector: Collector {
    private static let modes = ["user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal"]
    private static let guestModes = ["user", "nice"]
    private static let idle = 3
    private static let restartSeconds = 3.0
    /// The unit of /proc/stat, USER_HZ, the same on all of Linux's architectures in use.
    private static let ticksPerSecond = 100.0

    let path: String
    /// By CPU: the modes' seconds, then the guest modes'.
    private var seen: [String: [Double]] = [:]

    init(roots: KernelRoots) {
        path = "\(roots.proc)/stat"
    }

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        let file = try KernelFile(path)
        var cpus: [(name: String, seconds: [Double])] = []
        // The CPUs' lines stand first; of the long lines behind them nothing is wanted.
        for line in file.lines {
            guard line.hasPrefix("cpu") else { break }
            let fields = line.fields
            guard let name = fields.first?.dropFirst(3), !name.isEmpty else { continue }
            var seconds = [Double](repeating: 0, count: Self.modes.count + Self.guestModes.count)
            // Old kernels have fewer columns.
            for (column, field) in fields.dropFirst().prefix(seconds.count).enumerated() {
                guard let ticks = Double(field) else { throw file.malformed(line) }
                seconds[column] = ticks / Self.ticksPerSecond
            }
            cpus.append((String(name), seconds))
        }
        guard !cpus.isEmpty else { throw file.malformed(file.lines.first ?? "") }
        for (name, seconds) in cpus { remember(name, seconds) }
        for (name, _) in cpus {
            guard let seconds = seen[name] else { continue }
            for (mode, value) in zip(Self.modes, seconds) {
                samples.append("node_cpu_seconds_total", ["cpu": name, "mode": mode], value)
            }
        }
        for (name, _) in cpus {
            guard let seconds = seen[name] else { continue }
            for (mode, value) in zip(Self.guestModes, seconds.dropFirst(Self.modes.count)) {
                samples.append("node_cpu_guest_seconds_total", ["cpu": name, "mode": mode], value)
            }
        }
    }

    private mutating func remember(_ name: String, _ seconds: [Double]) {
        guard let before = seen[name], before[Self.idle] - seconds[Self.idle] < Self.restartSeconds else {
            seen[name] = seconds
            return
        }
        seen[name] = zip(before, seconds).map { max($0, $1) }
    }
}
