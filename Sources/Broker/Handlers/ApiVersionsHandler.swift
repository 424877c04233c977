import KafkaProtocol

// ApiVersions (18): which requests this broker serves, in which versions.
//
// - The first request of most clients. One in a version we do not know is answered in version 0 with error 35 and
//   the ranges, so that the client can ask again (KIP-511); its response header is version 0 always.
// - Version 3 adds the client's name and version, which are only read, and features, of which there are none.
enum ApiVersionsHandler: RequestHandler {
    static func handle(_ request: ApiVersionsRequest, _ exchange: Exchange<ApiVersionsResponse>) {
        exchange.reply(self.response)
    }

    /// Answers a version that is not served; the exchange is one of version 0.
    static func refuse(_ exchange: Exchange<ApiVersionsResponse>) {
        var response = self.response
        response.errorCode = .unsupportedVersion
        exchange.reply(response)
    }

    private static let response = ApiVersionsResponse(
        apiKeys: APITable.entries.map {
            ApiVersionsResponse.ApiVersion(
                apiKey: $0.key.rawValue, minVersion: $0.versions.lowerBound, maxVersion: $0.versions.upperBound)
        })
}
