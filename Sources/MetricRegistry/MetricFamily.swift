public import Instruments
public import MetricModel

/// All series of one metric at one moment.
public struct MetricFamily: Hashable, Sendable {
    /// One line of the text format: of a histogram a bucket, the sum or the count.
    public struct Reading: Hashable, Sendable {
        /// With `__name__`.
        public var series: Labels
        public var value: Double

        public init(_ series: Labels, _ value: Double) {
            self.series = series
            self.value = value
        }
    }

    public var name: String
    public var kind: Metric.Kind
    public var help: String
    public var readings: [Reading]

    public init(_ name: String, _ kind: Metric.Kind, help: String, _ readings: [Reading]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.readings = readings
    }
}

extension TextFormat.Writer {
    /// Appends the families with their `# HELP` and `# TYPE` lines: what Prometheus reads from `/metrics`.
    public mutating func append(_ families: [MetricFamily]) {
        for family in families where !family.readings.isEmpty {
            if !family.help.isEmpty { append(help: family.help, of: family.name) }
            append(type: family.kind.rawValue, of: family.name)
            for reading in family.readings { append(reading.series, value: reading.value) }
        }
    }
}
