/// How full the file systems are, from the mount table and statvfs. File systems without storage of their own and the
/// mounts of containers are left out, as in node_exporter.
struct FilesystemCollector: Collector {
    private static let excludedTypes: Set<String> = [
        "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "erofs",
        "fusectl", "hugetlbfs", "iso9660", "mqueue", "nsfs", "overlay", "proc", "procfs", "pstore", "rpc_pipefs",
        "securityfs", "selinuxfs", "squashfs", "sysfs", "tracefs",
    ]
    private static let excludedMountPoints =
        "/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)(|/.*)"

    private let roots: KernelRoots
    private let probe: FilesystemProbe
    private var filter = DeviceFilter(excluding: excludedMountPoints)

    init(roots: KernelRoots, probe: FilesystemProbe) {
        self.roots = roots
        self.probe = probe
    }

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        var seen: Set<[String]> = []
        var states: [(mount: Mount, answer: FilesystemProbe.Answer)] = []
        for mount in try Mount.table(roots: roots) {
            if Self.excludedTypes.contains(mount.type) || filter.excludes(mount.mountPoint) { continue }
            // One mount over another at the same place would be the same series twice.
            guard seen.insert([mount.device, mount.mountPoint, mount.type]).inserted else { continue }
            states.append((mount, probe.ask(mount.mountPoint)))
        }
        for (mount, answer) in states {
            samples.append("node_filesystem_device_error", mount, answer, answer.error == nil ? 0 : 1)
        }
        for (mount, answer) in states {
            samples.append("node_filesystem_readonly", mount, answer, mount.isReadOnly ? 1 : 0)
        }
        let metrics: [(String, (FilesystemProbe.Usage) -> Double)] = [
            ("node_filesystem_size_bytes", \.sizeBytes), ("node_filesystem_free_bytes", \.freeBytes),
            ("node_filesystem_avail_bytes", \.availableBytes), ("node_filesystem_files", \.files),
            ("node_filesystem_files_free", \.freeFiles),
        ]
        for (metric, value) in metrics {
            for (mount, answer) in states {
                guard case .usage(let usage) = answer else { continue }
                samples.append(metric, mount, answer, value(usage))
            }
        }
    }
}

extension SampleWriter {
    fileprivate mutating func append(
        _ metric: String, _ mount: Mount, _ answer: FilesystemProbe.Answer, _ value: Double
    ) {
        append(
            metric,
            [
                "device": mount.device, "device_error": answer.error ?? "", "fstype": mount.type,
                "mountpoint": mount.mountPoint,
            ], value)
    }
}
