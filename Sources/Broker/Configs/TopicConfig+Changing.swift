import KafkaProtocol

/// Changing a topic's configs, as the three requests do it.
extension [TopicConfig] {
    subscript(name: String) -> String? { self.first { $0.name == name }?.value }

    /// Checks configs given by a client, each named once.
    static func validated(_ wanted: [(name: String, value: String?)]) throws(TopicRefusal) -> [TopicConfig] {
        var configs: [TopicConfig] = []
        for (name, value) in wanted {
            let setting = try TopicSetting.named(name)
            guard configs[name] == nil else {
                throw TopicRefusal(.invalidRequest, "the config \(name) is given more than once")
            }
            guard let value else {
                throw TopicRefusal(.invalidConfig, "Null value not supported for topic configs: \(name)")
            }
            configs.append(TopicConfig(name: name, value: try setting.validated(value)))
        }
        return configs
    }

    /// Carries out the operations of IncrementalAlterConfigs (KIP-339).
    mutating func apply(_ operation: ConfigOperation, _ name: String, _ value: String?) throws(TopicRefusal) {
        let setting = try TopicSetting.named(name)
        if operation == .delete {
            self.removeAll { $0.name == name }
            return
        }
        guard let value else {
            throw TopicRefusal(.invalidConfig, "Null value not supported for \(operation) of \(name)")
        }
        var changed = value
        if operation == .append || operation == .subtract {
            guard setting.isList else {
                throw TopicRefusal(.invalidConfig, "Config value \(operation) is not allowed for config key: \(name)")
            }
            let now = TopicSetting.items(self[name] ?? setting.defaultValue)
            let given = TopicSetting.items(value)
            let items =
                operation == .append
                ? now + given.filter { !now.contains($0) } : now.filter { !given.contains($0) }
            changed = items.joined(separator: ",")
        }
        let config = TopicConfig(name: name, value: try setting.validated(changed))
        if let index = self.firstIndex(where: { $0.name == name }) {
            self[index] = config
        } else {
            self.append(config)
        }
    }

    /// The names of those that the broker keeps but does not act on.
    var withoutEffect: [String] {
        self.map(\.name).filter { name in
            guard let setting = try? TopicSetting.named(name) else { return true }
            if case .keptOnly = setting.effect { return true }
            return false
        }
    }
}
