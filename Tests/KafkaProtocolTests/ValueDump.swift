import KafkaProtocol
import NIOCore

/// The values of a message in the notation of the golden file, found by reflection, so that the test does not depend on
/// the generated decoding to say which field is which.
enum ValueDump {
    static func lines(_ message: Any) -> [String] {
        fields(of: message, prefix: "")
    }

    private static func fields(of value: Any, prefix: String) -> [String] {
        Mirror(reflecting: value).children.flatMap { child in
            lines(child.value, path: prefix + (child.label ?? "?"))
        }
    }

    private static func lines(_ value: Any, path: String) -> [String] {
        if let text = leaf(value) { return ["\(path)=\(text)"] }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            guard let wrapped = mirror.children.first else { return ["\(path)=null"] }
            return lines(wrapped.value, path: path)
        case .collection:
            let elements = Array(mirror.children)
            let leaves = elements.compactMap { leaf($0.value) }
            if leaves.count == elements.count { return ["\(path)=[\(leaves.joined(separator: ","))]"] }
            return elements.enumerated().flatMap { fields(of: $1.value, prefix: "\(path)[\($0)].") }
        default:
            return fields(of: value, prefix: path + ".")
        }
    }

    private static func leaf(_ value: Any) -> String? {
        switch value {
        case let value as Bool: value ? "true" : "false"
        case let value as Int8: "\(value)"
        case let value as Int16: "\(value)"
        case let value as Int32: "\(value)"
        case let value as Int64: "\(value)"
        case let value as ErrorCode: "\(value.rawValue)"
        case let value as KafkaUUID: value.description
        case let value as String: "\"\(value)\""
        case let value as ByteBuffer: "x" + hex(value.readableBytesView)
        default: nil
        }
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
