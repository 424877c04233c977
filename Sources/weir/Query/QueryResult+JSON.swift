import Aggregation
import FoundationEssentials
import MetricModel
import SeriesStore

extension QueryResult {
    /// One line of JSON: samples in the shape of Prometheus's range vectors (`metric`, `values` of seconds and text),
    /// windows with their fields by name.
    var json: String {
        get throws {
            switch self {
            case .samples(let series): try Self.encode(series.map(SampleSeries.init))
            case .windows(let series): try Self.encode(series.map(WindowSeries.init))
            }
        }
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // JSON has no such numbers; Prometheus writes their names.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "+Inf", negativeInfinity: "-Inf", nan: "NaN")
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }

    private static func metric(_ labels: Labels) -> [String: String] {
        Dictionary(labels.map { ($0.name, $0.value) }) { first, _ in first }
    }

    private struct SampleSeries: Encodable {
        let metric: [String: String]
        let values: [Value]

        init(_ series: Series<Sample>) {
            metric = QueryResult.metric(series.labels)
            values = series.values.map(Value.init(sample:))
        }

        struct Value: Encodable {
            let sample: Sample

            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try container.encode(Double(sample.timestamp.milliseconds) / 1000)
                try container.encode(TextFormat.text(sample.value))
            }
        }
    }

    private struct WindowSeries: Encodable {
        let metric: [String: String]
        let windows: [Window]

        init(_ series: Series<StoredWindow>) {
            metric = QueryResult.metric(series.labels)
            windows = series.values.map(Window.init)
        }

        struct Window: Encodable {
            let start: Double
            let count: Int64
            let sum, min, max, first, last, mean: Double

            init(_ window: StoredWindow) {
                let aggregate = window.aggregate
                start = Double(window.start.milliseconds) / 1000
                count = aggregate.count
                (sum, min, max) = (aggregate.sum.value, aggregate.min, aggregate.max)
                (first, last, mean) = (aggregate.first.value, aggregate.last.value, aggregate.mean)
            }
        }
    }
}
