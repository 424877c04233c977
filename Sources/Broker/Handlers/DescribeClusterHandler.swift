import KafkaProtocol

// DescribeCluster (60): the cluster's id and its brokers (KIP-700).
//
// - One broker, which is the controller. Clients are told the address by which they reached it unless one is configured.
// - Version 1 can ask for controllers instead of brokers; there is no such listener (UNSUPPORTED_ENDPOINT_TYPE).
// - There is no authorization, so the authorized operations are not known.
enum DescribeClusterHandler: RequestHandler {
    private static let brokers: Int8 = 1

    static func handle(_ request: DescribeClusterRequest, _ exchange: Exchange<DescribeClusterResponse>) {
        let node = exchange.context.node
        guard request.endpointType == self.brokers else {
            return exchange.reply(
                DescribeClusterResponse(
                    errorCode: .unsupportedEndpointType,
                    errorMessage: "this listener is for clients; it has no controllers to describe",
                    endpointType: request.endpointType))
        }
        let (host, port) = node.advertisedAddress(for: exchange.context.peer)
        let id = node.configuration.nodeID
        exchange.reply(
            DescribeClusterResponse(
                clusterID: node.catalog.clusterID, controllerID: id,
                brokers: [.init(brokerID: id, host: host, port: port)]))
    }
}
