import ArgumentParser
import Configuration
import SystemPackage

/// The settings of one command: each is the flag, else the `WEIR_…` variable, else the line in the file given with
/// `--config`, else the command's default.
///
/// A setting `name` of a command is looked up as `section.name` and then as `name` alone, so that what several parts
/// share (`bootstrap`, `database`, `log-level`) can be said once.
struct Settings: Sendable {
    private let section: String
    private let variables: ConfigReader
    private let file: ConfigReader?
    private let filePath: String?

    /// Reads the variables, and the file if there is one.
    ///
    /// - Parameters:
    ///   - section: the command's name, one of ``SettingNames/sections``.
    ///   - path: a YAML file; nil for none.
    /// - Throws: ``CommandError`` if the file cannot be read, is no YAML, or has a key that no command knows.
    init(section: String, file path: String?) async throws {
        self.section = section
        filePath = path
        variables = ConfigReader(provider: EnvironmentVariablesProvider().prefixKeys(with: "weir"))
        guard let path else {
            file = nil
            return
        }
        try SettingNames.check(file: path)
        do {
            file = ConfigReader(provider: try await FileProvider<YAMLSnapshot>(filePath: FilePath(path)))
        } catch {
            throw CommandError("\(path) cannot be read as settings: \(error)")
        }
    }

    /// The value of a setting, nil where nothing sets it.
    ///
    /// - Throws: ``CommandError`` naming the variable or file line whose text is no `Value`.
    func value<Value: ExpressibleByArgument>(_ flag: Value?, _ name: String) throws -> Value? {
        if let flag { return flag }
        for key in ["\(section).\(name)", name] {
            if let text = text(in: variables, key) {
                return try parse(text, source: "the variable \(Self.variable(key))")
            }
        }
        for key in ["\(section).\(name)", name] {
            if let file, let filePath, let text = text(in: file, key) {
                return try parse(text, source: "'\(key)' in \(filePath)")
            }
        }
        return nil
    }

    /// The value of a setting, or its default.
    func value<Value: ExpressibleByArgument>(_ flag: Value?, _ name: String, default value: Value) throws -> Value {
        try self.value(flag, name) ?? value
    }

    /// The name of the variable for a setting: `agent.spool-dir` is `WEIR_AGENT_SPOOL_DIR`.
    static func variable(_ key: String) -> String {
        "WEIR_" + String(key.map { $0 == "." || $0 == "-" ? "_" : $0 }).uppercased()
    }

    /// The text of a scalar, or of a list with its elements joined by commas.
    private func text(in reader: ConfigReader, _ key: String) -> String? {
        let key = ConfigKey(key.split(separator: ".").map(String.init))
        return reader.string(forKey: key) ?? reader.stringArray(forKey: key).map { $0.joined(separator: ",") }
    }

    private func parse<Value: ExpressibleByArgument>(_ text: String, source: String) throws -> Value {
        if let value = Value(argument: text) { return value }
        let choices = Value.allValueStrings
        let expected = choices.isEmpty ? "" : "; it is one of: \(choices.joined(separator: ", "))"
        throw CommandError("\(source) has the value '\(text)', which is not valid\(expected)")
    }
}
