/// Why a ``TransactionalProducer`` cannot do what it was asked to.
///
/// Beside these its calls throw ``KafkaClientError`` while the transaction itself is not decided by it (a topic that
/// does not exist, a client that is closed), and `CancellationError`.
public enum TransactionError: Error, Equatable, Sendable {
    /// The transaction cannot be committed any more. Call ``TransactionalProducer/abort()``; then the next can begin.
    case mustAbort(cause: KafkaClientError)
    /// Another producer with the same transactional id has been started, or the coordinator has aborted the transaction
    /// because it took too long, and the id with it. Terminal: what this producer had open is aborted.
    case fenced(transactionalID: String, cause: KafkaClientError)
    /// The producer cannot go on, whatever is done. Terminal: make a new one.
    case terminal(cause: KafkaClientError)
    /// The transaction was aborted before this record was written.
    case aborted
    /// The call is not allowed now; `state` is what the producer is doing.
    case notNow(call: String, state: String)
}

extension TransactionError {
    /// Whether the producer is of no use any more.
    public var isTerminal: Bool {
        switch self {
        case .fenced, .terminal: true
        case .mustAbort, .aborted, .notNow: false
        }
    }
}

extension TransactionError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .mustAbort(let cause):
            "the transaction has to be aborted: \(cause)"
        case .fenced(let id, let cause):
            """
            another producer has taken over the transactional id \(id), or the transaction took longer than its timeout \
            (\(cause)); this one cannot go on
            """
        case .terminal(let cause):
            "the transactional producer cannot go on: \(cause)"
        case .aborted:
            "the transaction was aborted before the record was written"
        case .notNow(let call, let state):
            "\(call) cannot be called now: \(state)"
        }
    }
}
