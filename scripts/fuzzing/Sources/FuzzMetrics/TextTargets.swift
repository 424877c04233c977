import Fuzzing
import Glibc
import PromQL

@testable import MetricModel

extension FuzzTarget {
    /// PromQL's selectors.
    static let selector = FuzzTarget("selector", maximumBytes: 128) { bytes in
        guard let text = String(validating: bytes, as: UTF8.self),
            let selector = try? VectorSelector(parsing: text)
        else { return }
        let again = try? VectorSelector(parsing: selector.description)
        promise(again == selector, "'\(selector)' is read as \(again?.description ?? "nothing")")
    }

    /// A series as it stands in text.
    static let labels = FuzzTarget("labels", maximumBytes: 128) { bytes in
        guard let labels = try? Labels(parsing: bytes) else { return }
        let text = labels.description
        promise((try? Labels(parsing: text)) == labels, "'\(text)' is read otherwise")
        for (one, next) in zip(labels, labels.dropFirst()) {
            promise(one.name.precedes(next.name), "labels of '\(text)' are not sorted")
        }
    }

    /// Regular expressions on label values: the expression, a line feed, and a value to match. The text of a plain
    /// alternative matches itself.
    static let pattern = FuzzTarget("pattern", maximumBytes: 64) { bytes in
        let end = bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
        guard let source = String(validating: bytes[..<end], as: UTF8.self),
            let pattern = try? LabelPattern(source)
        else { return }
        _ = pattern.matches(String(decoding: bytes[end...], as: UTF8.self))
        for value in pattern.alternatives ?? [] { promise(pattern.matches(value), "'\(value)' and '\(source)'") }
    }

    /// Content types.
    static let formatChoice = FuzzTarget("content-type", maximumBytes: 96) { bytes in
        guard let choice = try? FormatChoice(parsing: String(decoding: bytes, as: UTF8.self)) else { return }
        let name = ([choice.format.name] + choice.parameters.map { "\($0)=\($1)" }).joined(separator: ";")
        promise((try? FormatChoice(parsing: name))?.parameters == choice.parameters, "'\(name)' is read otherwise")
    }

    /// Numbers, against the C library's.
    static let number = FuzzTarget("number", maximumBytes: 32) { bytes in
        guard let value = DecimalText.double(bytes) else { return }
        let reference = String(decoding: bytes, as: UTF8.self).withCString { strtod($0, nil) }
        promise(
            value.bitPattern == reference.bitPattern || value.isNaN && reference.isNaN,
            "\(String(decoding: bytes, as: UTF8.self)) is \(reference), not \(value)")
        var writer = TextFormat.Writer()
        writer.append(number: value)
        let again = writer.bytes.withUnsafeBytes { DecimalText.double($0) }
        promise(again?.bitPattern == value.bitPattern || value.isNaN, "\(value) was written as \(writer.bytes)")
    }

    /// Durations.
    static let duration = FuzzTarget("duration", maximumBytes: 32) { bytes in
        guard let duration = try? Duration(text: String(decoding: bytes, as: UTF8.self)) else { return }
        let text = duration.shortText
        promise((try? Duration(text: text)) == duration, "\(duration) was written as '\(text)'")
    }
}
