/// The identity of a spool: a random UUID (version 4) in its usual text, made once per spool directory and sent with
/// every record, so that a subscriber can tell a record sent twice from two records.
struct AgentID: Hashable, Sendable {
    /// 36 lower-case characters, `8-4-4-4-12`.
    let text: String

    /// Reads the usual text; nil when it is none.
    init?(_ text: some StringProtocol) {
        let groups = text.split(separator: "-", omittingEmptySubsequences: false)
        guard groups.map(\.utf8.count) == [8, 4, 4, 4, 12],
            groups.joined().utf8.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit })
        else { return nil }
        self.text = text.lowercased()
    }

    /// A new identity.
    init(using random: inout some RandomNumberGenerator) {
        var bytes = (0..<16).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += byte < 16 ? "0" : ""
            text += String(byte, radix: 16)
        }
        self.text = text
    }
}

extension AgentID: CustomStringConvertible {
    var description: String { text }
}
