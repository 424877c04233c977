/// The command line of one process, as settings: what a person would write into a file for it.
struct ProcessSettings: Hashable, Sendable {
    /// Why a setting is there.
    enum Purpose: Hashable, Sendable {
        /// What the process is.
        case own
        /// Whom it connects to: the setting that has to be edited when somebody comes or goes.
        case address
        /// What only the comparison asks for: reports, ledgers, seeds.
        case measurement
    }

    struct Setting: Hashable, Sendable {
        var name: String
        var values: [String]
        var purpose: Purpose
    }

    let command: String
    private(set) var settings: [Setting] = []

    init(_ command: String) { self.command = command }

    mutating func set(_ name: String, _ values: String..., as purpose: Purpose = .own) {
        set(name, values, as: purpose)
    }

    mutating func set(_ name: String, _ values: [String], as purpose: Purpose) {
        settings.removeAll { $0.name == name }
        settings.append(Setting(name: name, values: values, purpose: purpose))
    }

    var arguments: [String] {
        [command] + settings.flatMap { ["--\($0.name)", $0.values.joined(separator: ",")] }
    }

    /// The lines of a settings file that says this, a value a line, without what only the comparison needs.
    var lines: Int {
        1 + settings.filter { $0.purpose != .measurement }.reduce(0) { $0 + $1.values.count }
    }

    /// Those lines that name another process.
    var addressLines: Int { settings.filter { $0.purpose == .address }.reduce(0) { $0 + $1.values.count } }
}
