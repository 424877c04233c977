/// One mounted file system, from a line of /proc/<pid>/mountinfo:
///
///     27 1 254:0 / /mnt/a\040b rw,relatime shared:1 - ext4 /dev/vda rw,discard
///     id parent dev root mount point  options fields…  ↑ type source super options
///
/// Source: https://www.kernel.org/doc/Documentation/filesystems/proc.txt, 3.5
struct Mount: Hashable {
    let device: String
    let mountPoint: String
    let type: String
    let isReadOnly: Bool

    /// Nil when the line is not of that form.
    init?(_ line: Substring) {
        let fields = line.fields
        guard let separator = fields.firstIndex(of: "-"), separator >= 6, fields.count > separator + 2 else {
            return nil
        }
        mountPoint = Self.unescaped(fields[4])
        type = String(fields[separator + 1])
        device = Self.unescaped(fields[separator + 2])
        let superOptions = fields.count > separator + 3 ? fields[separator + 3] : ""
        isReadOnly =
            fields[5].split(separator: ",").contains("ro")
            || superOptions.split(separator: ",").contains { $0 == "ro" || $0 == "emergency_ro" }
    }

    /// The mounts as the first process sees them, or this process where the first one's are hidden.
    static func table(roots: KernelRoots) throws(CollectorError) -> [Mount] {
        let file: KernelFile
        do throws(CollectorError) {
            file = try KernelFile("\(roots.proc)/1/mountinfo")
        } catch {
            file = try KernelFile("\(roots.proc)/self/mountinfo")
        }
        var mounts: [Mount] = []
        for line in file.lines {
            guard let mount = Mount(line) else { throw file.malformed(line) }
            mounts.append(mount)
        }
        return mounts
    }

    /// Blanks, tabs, line feeds and backslashes stand as three octal digits.
    private static func unescaped(_ text: Substring) -> String {
        let bytes = Array(text.utf8)
        guard bytes.contains(UInt8(ascii: "\\")) else { return String(text) }
        var unescaped: [UInt8] = []
        var position = 0
        while position < bytes.count {
            if bytes[position] == UInt8(ascii: "\\"), position + 3 < bytes.count,
                let code = UInt8(String(decoding: bytes[position + 1...position + 3], as: UTF8.self), radix: 8)
            {
                unescaped.append(code)
                position += 4
            } else {
                unescaped.append(bytes[position])
                position += 1
            }
        }
        return String(decoding: unescaped, as: UTF8.self)
    }
}
