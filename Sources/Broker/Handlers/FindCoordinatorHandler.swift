import KafkaProtocol

// FindCoordinator (10): which broker coordinates a group or a transactional id.
//
// - This one, always. Version 4 asks for several keys at once.
enum FindCoordinatorHandler: RequestHandler {
    private static let keyTypes: ClosedRange<Int8> = 0...1

    static func handle(_ request: FindCoordinatorRequest, _ exchange: Exchange<FindCoordinatorResponse>) {
        let context = exchange.context
        let (host, port) = context.node.advertisedAddress(for: context.peer)
        let nodeID = context.node.configuration.nodeID
        let isKnownType = self.keyTypes.contains(request.keyType)
        let code: ErrorCode = isKnownType ? .none : .invalidRequest
        let reason = isKnownType ? nil : "key type \(request.keyType) is not known"
        if context.apiVersion >= 4 {
            return exchange.reply(
                FindCoordinatorResponse(
                    coordinators: request.coordinatorKeys.map {
                        .init(key: $0, nodeID: nodeID, host: host, port: port, errorCode: code, errorMessage: reason)
                    }))
        }
        exchange.reply(
            FindCoordinatorResponse(
                errorCode: code, errorMessage: reason, nodeID: nodeID, host: host, port: port))
    }
}
