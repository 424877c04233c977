import FoundationEssentials
import Yams

/// Every name that a settings file may use, so that a mistyped one is an error rather than silence.
enum SettingNames {
    /// The settings by section (a command's name).
    static let sections: [String: Set<String>] = [
        "demo": ["data-dir", "for", "broker-port", "interval", "self-metrics", "log-level"],
        "broker": LimitOptions.names.union([
            "data-dir", "listen", "advertise", "partitions", "auto-create-topics", "durability", "retention-check",
            "compaction-check", "min-free-space", "self-metrics", "metrics-by", "instance", "log-level",
            "report", "report-every",
        ]),
        "agent": DirectLinkOptions.names.union([
            "bootstrap", "interval", "collectors", "spool-dir", "spool-max", "instance", "self-metrics",
            "log-level", "direct", "report", "report-every",
        ]),
        "generate": DirectLinkOptions.names.union([
            "bootstrap", "partitions", "spool-dir", "direct", "hosts", "series", "interval", "seed", "for", "burst",
            "shape", "instance-prefix", "topic", "ledger", "format", "report", "report-every", "log-level",
        ]),
        "subscriber": [
            "alerts", "bootstrap", "database", "formats", "group", "group-instance-id", "session-timeout", "mode",
            "max-database-size", "retention", "rules", "series-limit", "series-limit-per-metric",
            "series-limit-per-source", "topics", "self-metrics", "instance", "log-level", "direct", "report",
            "report-every",
        ],
        "compare": ["hosts", "series", "interval", "events", "peak", "bootstrap", "format"],
        "database": ["database", "format"],
        "query": ["database", "last", "step", "resolution", "format"],
        "topic": ["bootstrap", "timeout", "format"],
        "group": ["bootstrap", "timeout", "format"],
        "produce": ["bootstrap", "timeout", "format", "acks", "compression"],
        "consume": ["bootstrap", "timeout", "format", "isolation"],
        "live": ["bootstrap", "timeout", "topics", "formats", "format", "log-level"],
    ]

    /// What may stand outside a section, for all commands.
    static var shared: Set<String> { sections.values.reduce(into: []) { $0.formUnion($1) } }

    /// Throws ``CommandError`` if the file cannot be read, is no YAML mapping, or has an unknown key.
    static func check(file path: String) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw CommandError("cannot read the settings file \(path): \(reason(error))")
        }
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch {
            throw CommandError("\(path) is no valid YAML: \(error)")
        }
        guard let root else { return }
        guard let mapping = root.mapping else {
            throw CommandError("\(path) is not a mapping; it should hold lines such as 'agent:' and '  interval: 5s'")
        }
        for (key, value) in mapping {
            let name = key.string ?? ""
            if let known = sections[name] {
                try check(section: name, value, known: known, path: path)
            } else if !shared.contains(name) {
                throw unknown(name, key, among: shared.union(sections.keys), path: path)
            }
        }
    }

    private static func check(section: String, _ value: Node, known: Set<String>, path: String) throws {
        guard let settings = value.mapping else {
            throw CommandError("\(path): '\(section)' should hold settings, such as '  \(known.min() ?? ""): …'")
        }
        for (key, _) in settings where !known.contains(key.string ?? "") {
            throw unknown("\(section).\(key.string ?? "")", key, among: known, path: path)
        }
    }

    private static func unknown(_ name: String, _ key: Node, among known: Set<String>, path: String) -> CommandError {
        let line = key.mark.map { ":\($0.line)" } ?? ""
        return CommandError(
            "\(path)\(line): there is no setting '\(name)'; known here: \(known.sorted().joined(separator: ", "))")
    }

    private static func reason(_ error: any Error) -> String {
        (error as? CocoaError).map { $0.code == .fileReadNoSuchFile ? "there is no such file" : "\($0.code)" }
            ?? "\(error)"
    }
}
