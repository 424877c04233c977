import KafkaProtocol
import NIOCore

/// Encodes a request on the caller's thread; the connection's event loop fills in the correlation id.
///
///      0      4         6             8               12
///     +------+---------+-------------+----------------+------------------------------------+
///     |length| api key | api version | correlation id | the rest of the header, the body   |
///     | int32| int16   | int16       | int32          |                                    |
///     +------+---------+-------------+----------------+------------------------------------+
enum RequestEncoding {
    private static let correlationIDPosition = 8

    static func encode<Request: KafkaRequest>(
        _ request: Request, version: Int16, clientID: String
    ) throws(KafkaClientError) -> ByteBuffer {
        do {
            var frame = ByteBuffer()
            try request.writeFrame(into: &frame, version: version, correlationID: 0, clientID: clientID)
            return frame
        } catch {
            throw .unencodable(request: "\(Request.apiKey)", reason: "\(error)")
        }
    }

    static func setCorrelationID(_ id: Int32, in frame: inout ByteBuffer) {
        frame.setInteger(id, at: frame.readerIndex + correlationIDPosition)
    }
}
