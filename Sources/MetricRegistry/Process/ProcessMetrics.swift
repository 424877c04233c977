internal import Glibc
internal import Instruments
internal import MetricModel

/// What every Prometheus client library says of its process, under the same names. Read from the kernel when asked for.
/// Source: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics
enum ProcessMetrics {
    static let cpu = Metric(
        .counter, "process_cpu_seconds_total", "User and system CPU time that the process has spent, in seconds.")
    static let residentMemory = Metric(
        .gauge, "process_resident_memory_bytes", "Memory of the process that is in RAM, in bytes.")
    static let virtualMemory = Metric(
        .gauge, "process_virtual_memory_bytes", "Addresses that the process has reserved, in bytes.")
    static let openDescriptors = Metric(.gauge, "process_open_fds", "File descriptors that are open.")
    static let maximumDescriptors = Metric(.gauge, "process_max_fds", "File descriptors that may be open.")
    static let startTime = Metric(
        .gauge, "process_start_time_seconds", "When the process started, in seconds since 1970.")

    static let all = [cpu, residentMemory, virtualMemory, openDescriptors, maximumDescriptors, startTime]

    /// What can be read of them; what cannot is left out.
    static func read() -> [MetricFamily] {
        var families: [MetricFamily] = []
        func add(_ metric: Metric, _ value: Double?) {
            guard let value else { return }
            let series: Labels = [Label.metricName: metric.name]
            families.append(MetricFamily(metric.name, metric.kind, help: metric.help, [.init(series, value)]))
        }
        add(cpu, cpuSeconds())
        if let status = ProcessStatus(KernelText.read("/proc/self/stat")) {
            add(virtualMemory, Double(status.virtualBytes))
            add(residentMemory, Double(status.residentPages) * Double(sysconf(Int32(_SC_PAGESIZE))))
            if let boot = ProcessStatus.bootSeconds(KernelText.read("/proc/stat")) {
                add(startTime, boot + Double(status.startTicks) / Double(sysconf(Int32(_SC_CLK_TCK))))
            }
        }
        add(openDescriptors, countOpenDescriptors().map(Double.init))
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            add(maximumDescriptors, limit.rlim_cur == .max ? .infinity : Double(limit.rlim_cur))
        }
        return families
    }

    /// By getrusage, which counts in microseconds where /proc/self/stat counts in hundredths of a second.
    private static func cpuSeconds() -> Double? { usage().map(Self.cpuSeconds) }

    fileprivate static func usage() -> rusage? {
        var usage = rusage()
        return getrusage(RUSAGE_SELF.rawValue, &usage) == 0 ? usage : nil
    }

    fileprivate static func cpuSeconds(_ usage: rusage) -> Double {
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    fileprivate static func countOpenDescriptors() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        // Beside `.`, `..` and the descriptor of the directory itself.
        var count = -3
        while readdir(directory) != nil { count += 1 }
        return max(0, count)
    }
}

/// What this process takes of the machine, at one moment.
public struct ProcessUsage: Sendable, Equatable {
    /// User and system time since the start.
    public var cpuSeconds = 0.0
    /// Memory in RAM, now and at its highest.
    public var residentBytes = 0
    public var maximumResidentBytes = 0
    public var openDescriptors = 0

    /// Asks the kernel. What it does not tell is 0.
    public static func now() -> ProcessUsage {
        var usage = ProcessUsage()
        if let times = ProcessMetrics.usage() {
            usage.cpuSeconds = ProcessMetrics.cpuSeconds(times)
            usage.maximumResidentBytes = Int(times.ru_maxrss) << 10
        }
        if let status = ProcessStatus(KernelText.read("/proc/self/stat")) {
            usage.residentBytes = Int(status.residentPages) * sysconf(Int32(_SC_PAGESIZE))
        }
        usage.openDescriptors = ProcessMetrics.countOpenDescriptors() ?? 0
        return usage
    }
}

/// The fields of /proc/self/stat that count here. Source: proc_pid_stat(5).
struct ProcessStatus: Equatable {
    let startTicks: UInt64
    let virtualBytes: UInt64
    let residentPages: Int64

    /// Nil if the text is not that file's.
    init?(_ text: String?) {
        // The name of the program stands in parentheses and may hold anything, parentheses too.
        guard let text, let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split { $0 == " " || $0 == "\n" }
        // The first field here is the file's third.
        guard fields.count > 21, let start = UInt64(fields[19]), let bytes = UInt64(fields[20]),
            let pages = Int64(fields[21])
        else { return nil }
        (startTicks, virtualBytes, residentPages) = (start, bytes, pages)
    }

    /// When the kernel started, from /proc/stat, in seconds since 1970.
    static func bootSeconds(_ text: String?) -> Double? {
        for line in (text ?? "").split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6))
        }
        return nil
    }
}

/// A file of /proc, which is read as a whole.
enum KernelText {
    static func read(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += chunk[..<count]
        }
    }
}
