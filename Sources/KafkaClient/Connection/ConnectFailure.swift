import Glibc
import NIOCore
import NIOPosix

/// Says in a few words of the operating system's why a connection could not be made or was lost.
package enum ConnectFailure {
    package static func text(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            if let first = error.connectionErrors.first { return text(of: first.error) }
            if error.dnsAError != nil || error.dnsAAAAError != nil { return "there is no host of that name" }
            return "\(error)"
        case let error as IOError:
            return text(errno: error.errnoCode)
        case ChannelError.connectTimeout(let amount):
            return "no connection within \(Duration.nanoseconds(amount.nanoseconds))"
        case let error as KafkaClientError:
            switch error {
            case .unreachable(_, let reason), .connectionLost(_, let reason): return reason
            case .timedOut(_, let request, let after): return "\(request) was not answered within \(after)"
            case .malformedAnswer(_, let request, let reason):
                return "its answer to \(request) cannot be read (\(reason)); is it a Kafka broker?"
            default: return "\(error)"
            }
        default:
            return "\(error)"
        }
    }

    /// `strerror`, in lower case as the middle of a sentence wants it.
    static func text(errno code: CInt) -> String {
        var buffer = [CChar](repeating: 0, count: 128)
        let text = buffer.withUnsafeMutableBufferPointer { bytes -> String in
            guard let base = bytes.baseAddress, strerror_r(code, base, bytes.count) == 0 else {
                return "error \(code)"
            }
            return String(cString: base)
        }
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}
