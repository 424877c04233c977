internal import CLibFuzzer
internal import Glibc

/// The program around libFuzzer: `PROGRAM list` names its targets, one a line; `PROGRAM TARGET …` runs libFuzzer with the
/// arguments that follow.
public enum FuzzProgram {
    /// What libFuzzer calls, which takes a C function without context. Set once before it runs.
    nonisolated(unsafe) private static var test: (UnsafeRawBufferPointer) -> Void = { _ in }

    /// Runs until libFuzzer ends the process.
    public static func run(_ targets: [FuzzTarget]) -> Never {
        let arguments = CommandLine.arguments
        guard arguments.count > 1, let target = targets.first(where: { $0.name == arguments[1] }) else {
            if arguments.count == 2, arguments[1] == "list" {
                for target in targets { print(target.name) }
                exit(0)
            }
            let usage = "usage: \(arguments[0]) list | \(arguments[0]) TARGET [LIBFUZZER-ARGUMENT]…\n"
            _ = usage.withCString { write(STDERR_FILENO, $0, strlen($0)) }
            exit(2)
        }
        test = target.test
        let all = [arguments[0], "-max_len=\(target.maximumBytes)"] + arguments.dropFirst(2)
        var count = Int32(all.count)
        var pointers: [UnsafeMutablePointer<CChar>?] = all.map { strdup($0) } + [nil]
        let status = pointers.withUnsafeMutableBufferPointer { buffer in
            var base = buffer.baseAddress
            return LLVMFuzzerRunDriver(&count, &base) { bytes, size in
                FuzzProgram.test(UnsafeRawBufferPointer(start: bytes, count: size))
                return 0
            }
        }
        exit(status)
    }
}
