import Foundation

/// What `make_golden.py` wrote with kafka-python.
enum GoldenFile {
    /// A message at one version, its bytes and the values in them.
    struct Case: CustomStringConvertible {
        var message: String
        var version: Int16
        var variant: String
        var bytes: [UInt8]
        /// `topics[0].name="t"`, one a field.
        var values: [String]

        var description: String { "\(message) \(version) \(variant)" }
    }

    static let cases: [Case] = blocks(in: "golden.txt").compactMap { lines in
        let head = lines[0].split(separator: " ")
        guard head.count == 3, lines.count >= 2, let version = Int16(head[1]),
            let bytes = lines[1] == "-" ? [] : bytes(hex: lines[1])
        else { return nil }
        return Case(
            message: String(head[0]), version: version, variant: String(head[2]), bytes: bytes,
            values: Array(lines[2...]))
    }

    /// The lines of a fixture, each split at its spaces.
    static func rows(of name: String) -> [[String]] {
        lines(of: name).map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
    }

    static func bytes(hex: some StringProtocol) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func hexDigit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    private static func lines(of name: String) -> [String] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures")
        guard let data = try? Data(contentsOf: folder.appending(path: name)) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            .map(String.init)
    }

    private static func blocks(in name: String) -> [[String]] {
        lines(of: name).split(separator: "").map(Array.init)
    }
}
