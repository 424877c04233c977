internal import MetricModel

extension StageRun {
    /// The settings of a process as of now: those it dials have to be listening.
    func settings(of process: StagePlan.Process, start: Int) throws -> ProcessSettings {
        var settings: ProcessSettings
        switch process.role {
        case .broker: settings = brokerSettings(process)
        case .subscriber: settings = try subscriberSettings(process)
        case .publisher: settings = try publisherSettings(process)
        }
        settings.set("report", files.report(process.name, start: start), as: .measurement)
        settings.set("report-every", "400ms", as: .measurement)
        return settings
    }

    private func brokerSettings(_ process: StagePlan.Process) -> ProcessSettings {
        var settings = ProcessSettings("broker")
        settings.set("data-dir", files.brokerData(process.name))
        settings.set("listen", "127.0.0.1:0")
        if let proxy = proxies[process.name] { settings.set("advertise", "127.0.0.1:\(proxy.port)", as: .measurement) }
        settings.set("partitions", "\(process.partitions)")
        settings.set("self-metrics", "off", as: .measurement)
        return settings
    }

    private func subscriberSettings(_ process: StagePlan.Process) throws -> ProcessSettings {
        var settings = ProcessSettings("subscriber")
        settings.set("database", files.database(process.part))
        if process.listensDirectly { settings.set("direct", "127.0.0.1:0") }
        if let topics = process.topics {
            settings.set("bootstrap", try addresses(of: process.dials), as: .address)
            // On a cluster of the user's no group may be one of theirs, or of an earlier run.
            let prefix = options.bootstrap.isEmpty ? "" : "weir-compare-\(beginning.milliseconds)-"
            settings.set("group", prefix + process.part)
            // A member that is restarted is the same one, and takes over its partitions at once.
            settings.set("group-instance-id", process.name)
            settings.set("topics", topics)
        }
        if let mode { settings.set("mode", mode) }
        settings.set("self-metrics", "off", as: .measurement)
        return settings
    }

    private func publisherSettings(_ process: StagePlan.Process) throws -> ProcessSettings {
        var settings = ProcessSettings("generate")
        guard let publishing = process.publishing else { return settings }
        settings.set("kind", publishing.kind.rawValue)
        settings.set("hosts", "\(publishing.hosts)")
        settings.set("series", "\(publishing.series)")
        settings.set("interval", "\(publishing.intervalMilliseconds)ms")
        if let topic = publishing.topic { settings.set("topic", topic) }
        if let burst = publishing.burst { settings.set("burst", burst, as: .measurement) }
        settings.set("seed", "\(publishing.seed)", as: .measurement)
        settings.set("instance-prefix", process.name, as: .measurement)
        settings.set("ledger", files.ledger(process.name), as: .measurement)
        settings.set("format", "json", as: .measurement)
        let addresses = try addresses(of: process.dials)
        if process.dials.contains(where: plan.stage.isBroker) {
            settings.set("bootstrap", addresses, as: .address)
            settings.set("spool-dir", files.spool(process.name))
        } else {
            settings.set("direct", addresses, as: .address)
        }
        return settings
    }

    private func addresses(of names: [String]) throws -> [String] {
        if !options.bootstrap.isEmpty, names.contains(where: plan.stage.isBroker) { return options.bootstrap }
        return try names.map { name in
            guard let port = port(of: name) else {
                throw ProcessError.notReady(name: name, what: "listen", lastWords: "nothing")
            }
            return "127.0.0.1:\(port)"
        }
    }
}
