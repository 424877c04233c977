/// What can go wrong with a database. Every case names the file; the description says what to do.
public enum StoreError: Error, Hashable {
    /// There is no file to read.
    case missing(path: String)
    /// The file or its directory cannot be opened or created.
    case cannotOpen(path: String, reason: String)
    /// The file or its directory does not allow writing.
    case readOnly(path: String, detail: String)
    /// Who wrote to it was killed in the middle of a change that only somebody who may write can undo. A process that writes
    /// does so when it opens the database.
    case unrecovered(path: String, detail: String)
    /// The file is no SQLite database.
    case notADatabase(path: String)
    /// An SQLite database that another program made.
    case foreign(path: String)
    /// SQLite found damage.
    case corrupt(path: String, detail: String)
    /// A newer weir made it.
    case newerSchema(path: String, version: Int, supported: Int)
    /// An older weir made it, and only a writer may bring it up to date.
    case olderSchema(path: String, version: Int, needed: Int)
    /// There is a file where a new one was to be written.
    case exists(path: String)
    /// A process has it for itself.
    case inUse(path: String, processID: Int32?)
    /// It belongs to another consumer group.
    case otherGroup(path: String, stored: String, given: String)
    /// Another process writes to it, and keeps samples and windows for another time.
    case otherRetention(path: String, processID: Int32?, stored: String, given: String)
    /// Another process looks after the database, and has other rules.
    case otherRules(path: String)
    /// Another process has stored meanwhile what the head begins with. Nothing of the head was stored.
    case superseded(path: String, Supersession)
    /// The disk or a quota is full, or `maximumBytes` is reached. Nothing of the transaction was stored.
    case full(path: String)
    /// Reading or writing failed below SQLite.
    case inputOutput(path: String, detail: String)
    /// Another connection held the database for longer than the busy timeout.
    case busy(path: String)
    /// Used after `close()`.
    case closed(path: String)
    /// Anything else SQLite says.
    case sqlite(path: String, code: Int32, detail: String)

    /// Whether trying the same again later may succeed without anybody repairing the database.
    public var isTransient: Bool {
        switch self {
        case .full, .busy, .inputOutput, .unrecovered: true
        default: false
        }
    }
}

extension StoreError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let path):
            "there is no database at '\(path)'; check the path, or start 'weir subscriber' once to create it"
        case .cannotOpen(let path, let reason):
            "cannot open the database '\(path)': \(reason); check that its directory exists and may be accessed"
        case .readOnly(let path, let detail):
            """
            the database '\(path)' cannot be written (\(detail)); check the permissions of the file and of its directory
            """
        case .unrecovered(let path, let detail):
            """
            whoever wrote to the database '\(path)' was killed in the middle of a change (\(detail)), and a reader cannot undo \
            it; start 'weir subscriber' on it
            """
        case .notADatabase(let path):
            "'\(path)' is not an SQLite database; move it away or choose another path"
        case .foreign(let path):
            "'\(path)' is an SQLite database of another program; choose another path"
        case .corrupt(let path, let detail):
            """
            the database '\(path)' is damaged (\(detail)); restore a backup, or move the file away and it is built \
            again from the topics as far back as they reach
            """
        case .newerSchema(let path, let version, let supported):
            """
            the database '\(path)' has schema version \(version), this weir knows versions up to \(supported); use \
            the newer weir that wrote it
            """
        case .olderSchema(let path, let version, let needed):
            """
            the database '\(path)' has schema version \(version), this weir needs \(needed); start this version's \
            'weir subscriber' on it once to bring it up to date
            """
        case .exists(let path):
            "'\(path)' is there already and is not overwritten; choose another name or remove it"
        case .inUse(let path, let processID):
            """
            the database '\(path)' is held by \(processID.map { "process \($0)" } ?? "another process"), which does not \
            share it (it is starting, or of another version of weir); stop that one, or give this subscriber a database \
            of its own
            """
        case .otherGroup(let path, let stored, let given):
            """
            the database '\(path)' belongs to the consumer group '\(stored)', this subscriber is of '\(given)'; give it a \
            database of its own, or start it with --group '\(stored)'
            """
        case .otherRetention(let path, let processID, let stored, let given):
            """
            the database '\(path)' is being written by \(processID.map { "process \($0)" } ?? "another process") with the \
            retention '\(stored)', this subscriber was given '\(given)'; start it with the same, or stop all that write to \
            the database first
            """
        case .otherRules(let path):
            """
            another process looks after the database '\(path)' and evaluates other rules than this subscriber was given; start \
            all subscribers of a group with the same --mode and --rules, or stop all of them first
            """
        case .superseded(let path, let reason):
            "another process has written to the database '\(path)' meanwhile: \(reason); it has to be read again from there"
        case .full(let path):
            "no space is left for the database '\(path)'; free space on its disk (nothing is lost: it is in the topic)"
        case .inputOutput(let path, let detail):
            "reading or writing the database '\(path)' failed: \(detail); check the disk and the kernel's log"
        case .busy(let path):
            "the database '\(path)' is held by another program for too long; end that program's transaction"
        case .closed(let path):
            "the database '\(path)' has been closed"
        case .sqlite(let path, let code, let detail):
            "the database '\(path)' refused a statement: \(detail) (SQLite code \(code))"
        }
    }
}
