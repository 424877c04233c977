internal import MetricModel
internal import Yams

/// What is wrong at one place of a declaration.
struct StageNodeError: Error {
    let line: Int?
    let message: String
}

/// Keys and values of one part of a declaration: reads values and names key and line where one is not right.
struct StageNode {
    private let mapping: Node.Mapping
    /// Where it begins, counted from 1.
    let line: Int

    /// - Parameter keys: what may stand in it; `what` calls the part in messages, such as "a publisher".
    init(_ node: Node, keys: [String], of what: String) throws(StageNodeError) {
        line = node.mark?.line ?? 1
        guard let mapping = node.mapping else {
            throw StageNodeError(
                line: line, message: "\(what) is written as keys and values; known are \(keys.joined(separator: ", "))")
        }
        self.mapping = mapping
        for (key, _) in mapping where !keys.contains(key.string ?? "") {
            throw StageNodeError(
                line: key.mark?.line ?? line,
                message: "\(what) has no '\(key.string ?? "")'; known are \(keys.joined(separator: ", "))")
        }
    }

    subscript(_ key: String) -> Node? { mapping[key] }

    /// The text of a scalar; nil when the key is not there.
    func text(_ key: String) throws(StageNodeError) -> String? {
        guard let node = mapping[key] else { return nil }
        guard let text = node.scalar?.string, !text.isEmpty else { throw wrong(key, "should be one value") }
        return text
    }

    func text(_ key: String, required hint: String) throws(StageNodeError) -> String {
        guard let text = try text(key) else {
            throw StageNodeError(line: line, message: "'\(key)' is missing, \(hint)")
        }
        return text
    }

    /// A name that is used in file names, group names and on the command line.
    func name(_ key: String) throws(StageNodeError) -> String {
        let name = try text(key, required: "such as \(key): dashboard")
        let isPlain = name.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard isPlain, name.utf8.count <= 40 else {
            throw wrong(key, "'\(name)' should be made of a-z, 0-9 and '-', 40 characters at most")
        }
        return name
    }

    func number(_ key: String, in range: ClosedRange<Int>, default value: Int) throws(StageNodeError) -> Int {
        guard let text = try text(key) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw wrong(key, "'\(text)' should be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func milliseconds(_ key: String, default value: Int) throws(StageNodeError) -> Int {
        guard let text = try text(key) else { return value }
        let duration: Duration
        do throws(DurationTextError) {
            duration = try Duration(text: text)
        } catch {
            throw wrong(key, "\(error)")
        }
        guard duration >= .milliseconds(10) else { throw wrong(key, "'\(text)' is too short; 10ms at least") }
        return Int(duration / .milliseconds(1))
    }

    /// The texts of a list, or one scalar's.
    func texts(_ key: String, required hint: String) throws(StageNodeError) -> [String] {
        guard let node = mapping[key], let list = node.sequence else { return [try text(key, required: hint)] }
        var texts: [String] = []
        for element in list {
            guard let text = element.scalar?.string, !text.isEmpty else {
                throw wrong(key, "the elements of this list should be names")
            }
            texts.append(text)
        }
        guard !texts.isEmpty else { throw wrong(key, "this list is empty") }
        return texts
    }

    func wrong(_ key: String, _ message: String) -> StageNodeError {
        StageNodeError(line: line(of: key), message: "\(key): \(message)")
    }

    func line(of key: String) -> Int {
        mapping.first { $0.key.string == key }?.key.mark?.line ?? line
    }
}
