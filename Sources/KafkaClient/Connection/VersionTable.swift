import KafkaProtocol

/// Which versions of each request a broker understands, as its ApiVersions answer says. A value of one connection.
struct VersionTable: Sendable {
    private var ranges: [Int16: ClosedRange<Int16>] = [:]

    init(_ answer: ApiVersionsResponse) {
        for entry in answer.apiKeys where entry.minVersion <= entry.maxVersion {
            ranges[entry.apiKey] = entry.minVersion...entry.maxVersion
        }
    }

    /// The highest version both sides speak, not above `maximum`; nil if there is none.
    func version<Request: KafkaRequest>(of request: Request.Type, notAbove maximum: Int16 = .max) -> Int16? {
        guard let theirs = ranges[Request.apiKey.rawValue] else { return nil }
        let ours = Request.supportedVersions
        let version = min(theirs.upperBound, ours.upperBound, maximum)
        return version >= max(theirs.lowerBound, ours.lowerBound) ? version : nil
    }
}
