import Fuzzing
import NIOCore

@testable import BrokerFiles
@testable import KafkaProtocol

extension FuzzTarget {
    nonisolated(unsafe) private static var input = ByteBuffer()

    /// A record of `__transaction_state`: the first byte is the key's length, or, if all its bits are set, says that there is no
    /// value.
    static let transactionRecord = FuzzTarget("transaction-record", maximumBytes: 192) { bytes in
        guard let length = bytes.first else { return }
        input.clear()
        input.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[1...]))
        let hasValue = length != .max
        guard let key = input.readSlice(length: hasValue ? Int(length) : input.readableBytes) else { return }
        do throws(ProtocolError) {
            let read: (id: String, record: TransactionRecord?)?
            do throws(ProtocolError) {
                read = try TransactionRecord.read(key: key, value: hasValue ? input : nil)
            } catch {
                return
            }
            guard let (id, record) = read else { return }
            promise((record != nil) == hasValue, "a value makes the record")
            let again = try TransactionRecord.read(
                key: try TransactionRecord.key(of: id), value: try record?.valueBytes())
            promise(again?.id == id, "\(id) is read as \(again?.id, default: "nothing")")
            // A transaction that has not begun has no partitions; they are not written.
            var expected = record
            if expected?.state == .empty { expected?.partitions = [] }
            promise(again?.record == expected, "\(record, default: "nothing") is read otherwise")
        } catch {
            broken("what was read cannot be written: \(error)")
        }
    }
}
