internal import MetricModel

/// What a workload's publishers publish: the kinds that hosts have, and those that programs and their users make. All are
/// countable samples.
public enum WorkloadKind: String, CaseIterable, Sendable {
    case cpu, memory, disk, network, application, log, activity

    /// Where its records go.
    public var topic: String {
        switch self {
        case .log: "logs.events"
        case .activity: "activity.users"
        default: "metrics.\(rawValue)"
        }
    }

    /// One series of a host, without the label `instance`: the same for a number whatever the host and the seed.
    func series(_ number: Int) -> WorkloadSeries {
        switch self {
        case .cpu: Self.cpu(number)
        case .memory: Self.memory(number)
        case .disk: Self.disk(number)
        case .network: Self.network(number)
        case .application: Self.application(number)
        case .log: Self.log(number)
        case .activity: Self.activity(number)
        }
    }

    private static let modes = ["idle", "iowait", "irq", "nice", "softirq", "steal", "system", "user"]

    private static func cpu(_ number: Int) -> WorkloadSeries {
        let (cpu, mode) = number.quotientAndRemainder(dividingBy: modes.count)
        return WorkloadSeries(
            "node_cpu_seconds_total", ["cpu": "\(cpu)", "mode": modes[mode]], .counter(perSecond: 100, decimals: 2))
    }

    private static let memoryFields = [
        "MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "SwapCached", "Active", "Inactive", "SwapTotal",
        "SwapFree", "Dirty", "Writeback", "AnonPages", "Mapped", "Shmem", "Slab",
    ]

    private static func memory(_ number: Int) -> WorkloadSeries {
        let (node, field) = number.quotientAndRemainder(dividingBy: memoryFields.count)
        let shape = WorkloadSeries.Shape.gauge(upTo: 64 << 30, step: 4096)
        // One set for the host as a whole, then one for each of its nodes.
        return node == 0
            ? WorkloadSeries("node_memory_\(memoryFields[field])_bytes", [:], shape)
            : WorkloadSeries("node_memory_numa_\(memoryFields[field])", ["node": "\(node - 1)"], shape)
    }

    private static let diskMetrics = [
        "node_disk_reads_completed_total", "node_disk_read_bytes_total", "node_disk_read_time_seconds_total",
        "node_disk_writes_completed_total", "node_disk_written_bytes_total", "node_disk_write_time_seconds_total",
        "node_disk_io_time_seconds_total", "node_disk_io_now",
    ]

    private static func disk(_ number: Int) -> WorkloadSeries {
        let (device, metric) = number.quotientAndRemainder(dividingBy: diskMetrics.count)
        let name = diskMetrics[metric]
        let shape: WorkloadSeries.Shape =
            if name.hasSuffix("_seconds_total") {
                .counter(perSecond: 1000, decimals: 3)
            } else if name.hasSuffix("_bytes_total") {
                .counter(perSecond: 200 << 20, decimals: 0)
            } else if name.hasSuffix("_total") {
                .counter(perSecond: 5000, decimals: 0)
            } else {
                .gauge(upTo: 64, step: 1)
            }
        return WorkloadSeries(name, ["device": "nvme\(device)n1"], shape)
    }

    private static let networkMetrics = [
        "node_network_receive_bytes_total", "node_network_receive_packets_total", "node_network_receive_errs_total",
        "node_network_receive_drop_total", "node_network_transmit_bytes_total", "node_network_transmit_packets_total",
        "node_network_transmit_errs_total", "node_network_transmit_drop_total",
    ]

    private static func network(_ number: Int) -> WorkloadSeries {
        let (device, metric) = number.quotientAndRemainder(dividingBy: networkMetrics.count)
        let name = networkMetrics[metric]
        let perSecond: Int64 = name.contains("_bytes_") ? 1 << 27 : name.contains("_packets_") ? 100_000 : 3
        return WorkloadSeries(name, ["device": "eth\(device)"], .counter(perSecond: perSecond, decimals: 0))
    }

    private static let codes = ["200", "404", "429", "500"]
    private static let bounds = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"]
    private static let applicationSeries = codes.count + bounds.count + 4

    private static func application(_ number: Int) -> WorkloadSeries {
        let (service, place) = number.quotientAndRemainder(dividingBy: applicationSeries)
        let name = "shop-\(service)"
        let requests = WorkloadSeries.Shape.counter(perSecond: 500, decimals: 0)
        if place < codes.count {
            return WorkloadSeries("http_requests_total", ["code": codes[place], "service": name], requests)
        }
        if place < codes.count + bounds.count {
            return WorkloadSeries(
                "http_request_duration_seconds_bucket", ["le": bounds[place - codes.count], "service": name], requests)
        }
        return switch place - codes.count - bounds.count {
        case 0: WorkloadSeries("http_request_duration_seconds_count", ["service": name], requests)
        case 1:
            WorkloadSeries(
                "http_request_duration_seconds_sum", ["service": name], .counter(perSecond: 25_000, decimals: 3))
        case 2: WorkloadSeries("http_requests_in_flight", ["service": name], .gauge(upTo: 200, step: 1))
        default: WorkloadSeries("worker_queue_length", ["service": name], .gauge(upTo: 5000, step: 1))
        }
    }

    private static let levels = ["debug", "info", "notice", "warning", "error"]

    private static func log(_ number: Int) -> WorkloadSeries {
        let (service, level) = number.quotientAndRemainder(dividingBy: levels.count)
        return WorkloadSeries(
            "log_events_total", ["level": levels[level], "service": "shop-\(service)"],
            .counter(perSecond: [2000, 500, 50, 10, 2][level], decimals: 0))
    }

    private static let actions = ["view", "search", "click", "cart", "order", "login"]

    private static func activity(_ number: Int) -> WorkloadSeries {
        let (page, action) = number.quotientAndRemainder(dividingBy: actions.count)
        return WorkloadSeries(
            "user_actions_total", ["action": actions[action], "page": "/product/\(page)"],
            .counter(perSecond: 80, decimals: 0))
    }
}

/// One series of a workload, and how its values go. A constant.
struct WorkloadSeries {
    enum Shape {
        /// Grows by up to so much in a second, counted in units of 10^-decimals.
        case counter(perSecond: Int64, decimals: Int)
        /// Jumps between 0 and a bound, in whole steps.
        case gauge(upTo: Int64, step: Int64)
    }

    let name: String
    /// Without `instance`.
    let labels: Labels
    let shape: Shape

    init(_ name: String, _ labels: Labels, _ shape: Shape) {
        self.name = name
        self.labels = labels
        self.shape = shape
    }
}
