import ArgumentParser
import Broker
import KafkaClient
import Logging
import MetricModel
import ServiceLifecycle
import Topology

/// The settings of the commands that publish their own metrics.
struct SelfMetricsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Publish this process's own metrics to the topic metrics.weir this often, or 'off' (default: 10s).",
            valueName: "duration|off"))
    var selfMetrics: SelfMetricsInterval?

    /// How often; nil for not at all.
    func interval(_ settings: Settings) throws -> Duration? {
        try settings.value(selfMetrics, "self-metrics", default: .every(.seconds(10))).duration
    }
}

/// A duration, or `off`.
enum SelfMetricsInterval: ExpressibleByArgument {
    case off
    case every(Duration)

    init?(argument: String) {
        // In YAML `off` without quotes is a boolean.
        if ["off", "false"].contains(argument.lowercased()) {
            self = .off
        } else if let duration = Duration(argument: argument), duration >= .milliseconds(10) {
            self = .every(duration)
        } else {
            return nil
        }
    }

    static var allValueStrings: [String] { ["off", "a duration from 10ms on, such as 10s"] }

    var duration: Duration? {
        if case .every(let duration) = self { duration } else { nil }
    }
}

extension BrokerConfiguration {
    /// How the broker's own process reaches it.
    func ownAddress(port: Int) -> BrokerAddress {
        let own = ["0.0.0.0": "127.0.0.1", "::": "::1"][host] ?? host
        return BrokerAddress(host: own, port: port)
    }
}
