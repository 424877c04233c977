import KafkaProtocol
import NIOCore

/// One request as it goes over the wire.
///
///      0      4         6             8               12
///     +------+---------+-------------+----------------+-----------+-----------------+------+
///     |length| api key | api version | correlation id | client id | (tagged fields) | body |
///     | int32| int16   | int16       | int32          | string    | flexible header |      |
///     +------+---------+-------------+----------------+-----------+-----------------+------+
///
/// It is encoded on the caller's thread; the connection's event loop fills in the correlation id.
enum RequestFrame {
    private static let correlationIDPosition = 8

    static func encode<Request: KafkaRequest>(
        _ request: Request, version: Int16, clientID: String
    ) throws(KafkaClientError) -> ByteBuffer {
        do {
            var frame = ByteBuffer()
            frame.writeInteger(Int32(0))
            let header = RequestHeader(
                requestAPIKey: Request.apiKey, requestAPIVersion: version, correlationID: 0, clientID: clientID)
            try header.encode(into: &frame)
            try request.encode(into: &frame, version: version)
            frame.setInteger(Int32(frame.readableBytes - 4), at: frame.readerIndex)
            return frame
        } catch {
            throw .unencodable(request: "\(Request.apiKey)", reason: "\(error)")
        }
    }

    static func setCorrelationID(_ id: Int32, in frame: inout ByteBuffer) {
        frame.setInteger(id, at: frame.readerIndex + correlationIDPosition)
    }
}
