import CommitLog
import FoundationEssentials
import Glibc
import NIOCore
import TestKit
import Testing

@Suite struct FileTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func aLockedDirectoryNamesItsHolder() throws {
        let path = directory.appending("data dir")
        do {
            let lock = try FileLock(directory: path)
            #expect(lock.path == path + "/.lock")
            do {
                _ = try FileLock(directory: path)
                Issue.record("no error")
            } catch {
                #expect(error == .locked(path: path + "/.lock", holder: getpid()))
                #expect(error.description.contains("process \(getpid())"))
                #expect(error.description.contains(path))
            }
            withExtendedLifetime(lock) {}
        }
        _ = try FileLock(directory: path)
    }

    @Test func anAtomicFileIsReplacedAsAWhole() throws {
        let path = directory.appending("checkpoint")
        #expect(try AtomicFile.read(path) == nil)
        try AtomicFile.write("one", to: path)
        #expect(try AtomicFile.read(path).map { String(buffer: $0) } == "one")
        try AtomicFile.write("", to: path)
        #expect(try AtomicFile.read(path)?.readableBytes == 0)
        #expect(try LogMaking.names(in: directory.path) == ["checkpoint"])
    }

    @Test func anAtomicFileKeepsItsOldContentWhateverFails() throws {
        let path = directory.appending("checkpoint")
        let healthy = FaultyFileSystem()
        try AtomicFile.write("old", to: path, fileSystem: healthy)
        for number in 1...healthy.operationCount {
            try AtomicFile.write("old", to: path)
            let faults = FaultyFileSystem()
            faults.failOperation(number)
            #expect(throws: LogError.self) { try AtomicFile.write("new", to: path, fileSystem: faults) }
            let content = try AtomicFile.read(path).map { String(buffer: $0) }
            // Only the last step, syncing the directory, comes after the replacement.
            #expect(content == (number == healthy.operationCount ? "new" : "old"))
        }
    }

    @Test func errorsNameTheFileAndSayWhatToDo() throws {
        let path = directory.appending("missing/file")
        do {
            try AtomicFile.write("x", to: path)
            Issue.record("no error")
        } catch {
            #expect(error.description == "cannot open \(path).tmp: No such file or directory")
        }
        let full = LogError.file(.write, path: "/data/x.log", SystemError(code: ENOSPC))
        #expect(full.description == "cannot write /data/x.log: No space left on device; free some disk space")
    }
}
