import DequeModule
import NIOCore

/// The answers a connection owes, in the order of the requests. Each request has a slot; an answer leaves when all
/// before it have left. A value inside `ConnectionState`.
struct ResponseQueue {
    /// Names one slot for the life of the connection.
    struct Slot: Hashable, Sendable {
        let number: UInt64
    }

    private enum Content {
        case pending
        case ready(ByteBuffer)
        /// A request without an answer (produce with acks=0) is done.
        case silent
    }

    private var slots: Deque<Content> = []
    private var firstNumber: UInt64 = 0

    var count: Int { self.slots.count }
    var isEmpty: Bool { self.slots.isEmpty }

    mutating func open() -> Slot {
        self.slots.append(.pending)
        return Slot(number: self.firstNumber + UInt64(self.slots.count - 1))
    }

    /// Fills a slot; `nil` means that no answer is sent. A slot that has already been answered stays as it is.
    mutating func fill(_ slot: Slot, with response: ByteBuffer?) {
        guard slot.number >= self.firstNumber else { return }
        let index = Int(slot.number - self.firstNumber)
        guard index < self.slots.count, case .pending = self.slots[index] else { return }
        self.slots[index] = response.map { .ready($0) } ?? .silent
    }

    /// The next answer that may leave.
    mutating func takeReady() -> ByteBuffer? {
        while let first = self.slots.first {
            switch first {
            case .pending:
                return nil
            case .silent:
                self.slots.removeFirst()
                self.firstNumber += 1
            case .ready(let response):
                self.slots.removeFirst()
                self.firstNumber += 1
                return response
            }
        }
        return nil
    }
}
