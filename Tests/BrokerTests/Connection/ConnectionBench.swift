import KafkaProtocol
import NIOCore

@testable import Broker

/// Holds a connection's state for a test: frames whose first byte is "p" are pipelined, all others alone.
final class ConnectionBench {
    struct NothingServed: Error {}

    private var state: ConnectionState

    init(queued: Int = 64, queuedBytes: Int = 10_000) {
        var limits = ConnectionLimits()
        limits.queuedRequests = queued
        limits.queuedBytes = queuedBytes
        limits.frameBytes = 1_000
        limits.firstFrameBytes = 100
        self.state = ConnectionState(limits: limits) { frame in
            frame.getInteger(at: frame.readerIndex, as: UInt8.self) == UInt8(ascii: "p") ? .pipelined : .alone
        }
    }

    static func frame(_ content: String) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(Int32(content.utf8.count))
        buffer.writeString(content)
        return buffer
    }

    var hasRoom: Bool { self.state.hasRoom }

    func receive(_ bytes: ByteBuffer) { self.state.receive(bytes) }
    func receive(frames contents: String...) { for content in contents { self.state.receive(Self.frame(content)) } }

    /// The next request's content and slot.
    func serve() throws -> (String, ResponseQueue.Slot) {
        guard case .serve(let frame, let slot) = self.state.next() else { throw NothingServed() }
        return (String(buffer: frame), slot)
    }

    /// What happens instead of serving a request.
    var otherwise: String {
        switch self.state.next() {
        case .serve: "serve"
        case .read: "read"
        case .wait: "wait"
        case .close: "close"
        case .abort(let error): "abort: \(error)" + (error.hint.map { "; \($0)" } ?? "")
        }
    }

    func fill(_ slot: ResponseQueue.Slot, _ response: String?) {
        self.state.fill(slot, with: response.map { ByteBuffer(string: $0) })
    }

    func takeResponse() -> String? { self.state.takeResponse().map { String(buffer: $0) } }
    func requestWasValid() { self.state.requestWasValid() }
    func drain() { self.state.drain() }
    func closed() -> Int { self.state.closed() }
}
