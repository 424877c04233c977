internal import FoundationEssentials

/// Where the files of one run lie: everything below one directory, named after the processes.
struct StageFiles: Sendable {
    let directory: String

    /// Makes the directory.
    init(directory: String) throws {
        self.directory = directory
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    func database(_ process: String) -> String { "\(directory)/\(process).sqlite" }
    func ledger(_ process: String) -> String { "\(directory)/\(process).ledger" }
    func spool(_ process: String) -> String { "\(directory)/\(process).spool" }
    func brokerData(_ process: String) -> String { "\(directory)/\(process).data" }
    func errors(_ process: String) -> String { "\(directory)/\(process).err" }

    /// Every start of a process reports into a file of its own, so that nothing it counted is forgotten.
    func report(_ process: String, start: Int) -> String { "\(directory)/\(process).\(start).report.json" }
}
