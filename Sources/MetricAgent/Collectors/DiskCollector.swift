/// What the block devices did, from /proc/diskstats. Partitions, loop devices, floppies and RAM disks are left out, as
/// in node_exporter. Columns: https://docs.kernel.org/admin-guide/iostats.html
struct DiskCollector: Collector {
    /// One metric per column, with the factor from the column's unit to the metric's. Sectors are 512 bytes, times
    /// are milliseconds; discarded sectors stay sectors.
    private static let columns: [(metric: String, factor: Double)] = [
        ("node_disk_reads_completed_total", 1),
        ("node_disk_reads_merged_total", 1),
        ("node_disk_read_bytes_total", 512),
        ("node_disk_read_time_seconds_total", 0.001),
        ("node_disk_writes_completed_total", 1),
        ("node_disk_writes_merged_total", 1),
        ("node_disk_written_bytes_total", 512),
        ("node_disk_write_time_seconds_total", 0.001),
        ("node_disk_io_now", 1),
        ("node_disk_io_time_seconds_total", 0.001),
        ("node_disk_io_time_weighted_seconds_total", 0.001),
        ("node_disk_discards_completed_total", 1),
        ("node_disk_discards_merged_total", 1),
        ("node_disk_discarded_sectors_total", 1),
        ("node_disk_discard_time_seconds_total", 0.001),
        ("node_disk_flush_requests_total", 1),
        ("node_disk_flush_requests_time_seconds_total", 0.001),
    ]

    let path: String
    private var filter = DeviceFilter(excluding: #"(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+"#)

    init(roots: KernelRoots) {
        path = "\(roots.proc)/diskstats"
    }

    mutating func collect(into samples: inout SampleWriter) throws(CollectorError) {
        let file = try KernelFile(path)
        var disks: [(device: String, values: [Double])] = []
        for line in file.lines {
            let fields = line.fields
            guard fields.count >= 14 else { throw file.malformed(line) }
            let device = String(fields[2])
            if filter.excludes(device) { continue }
            var values: [Double] = []
            for field in fields.dropFirst(3).prefix(Self.columns.count) {
                guard let value = Double(field) else { throw file.malformed(line) }
                values.append(value)
            }
            disks.append((device, values))
        }
        for (column, (metric, factor)) in Self.columns.enumerated() {
            // Kernels before 4.18 know nothing of discards, before 5.5 nothing of flushes.
            for disk in disks where column < disk.values.count {
                let value = disk.values[column]
                // A division by 1000 rounds once where a product with 0.001 would round twice.
                samples.append(metric, ["device": disk.device], factor == 0.001 ? value / 1000 : value * factor)
            }
        }
    }
}
