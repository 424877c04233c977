import MetricModel

/// Writes one collector run's samples as text: every series gets the label `instance`, every line the run's timestamp.
/// A value, owned by the run.
struct SampleWriter {
    private var text: TextFormat.Writer
    private let instance: Label
    private let timestamp: Timestamp

    init(instance: String, timestamp: Timestamp) {
        text = TextFormat.Writer(reservingCapacity: 8 << 10)
        self.instance = Label("instance", instance)
        self.timestamp = timestamp
    }

    var bytes: [UInt8] { text.bytes }
    var sampleCount: Int { text.sampleCount }

    /// Appends one sample of a metric without labels of its own.
    mutating func append(_ metricName: String, _ value: Double) {
        text.append(metricName, [instance], value: value, timestamp: timestamp)
    }

    /// Appends one sample of a series that has its labels already, but for the instance.
    mutating func append(_ series: Labels, _ value: Double) {
        text.append(series.setting(instance.name, to: instance.value), value: value, timestamp: timestamp)
    }

    /// Appends one sample. Labels are sorted, so that a series always has the same bytes.
    mutating func append(_ metricName: String, _ labels: KeyValuePairs<String, String>, _ value: Double) {
        var all = labels.map { Label($0.key, $0.value) }
        all.append(instance)
        all.sort { $0.name < $1.name }
        text.append(metricName, all, value: value, timestamp: timestamp)
    }
}
