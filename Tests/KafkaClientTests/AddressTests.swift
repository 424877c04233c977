import KafkaClient
import Testing

@Suite struct BrokerAddressTests {
    @Test(arguments: [
        ("127.0.0.1:9092", "127.0.0.1:9092"), ("kafka", "kafka:9092"), (" kafka:1 ", "kafka:1"),
        ("[::1]:9093", "[::1]:9093"), ("[fe80::1]", "[fe80::1]:9092"),
    ])
    func addressIsReadAndWritten(text: String, written: String) throws {
        #expect(try BrokerAddress(parsing: text).description == written)
    }

    @Test(arguments: ["", ":9092", "a:", "a:0", "a:65536", "a:x", "::1", "[::1", "[::1]9092", "a b:1", "http://a:1"])
    func badAddressIsNamedInItsError(text: String) {
        #expect {
            try BrokerAddress(parsing: text)
        } throws: { error in
            "\(error)".contains("'\(text)'") && "\(error)".contains("127.0.0.1:9092")
        }
    }

    @Test func listKeepsItsOrderAndDropsRepetitions() throws {
        let list = try BrokerAddress.list(parsing: "b:1, a:2,b:1,")
        #expect(list == [BrokerAddress(host: "b", port: 1), BrokerAddress(host: "a", port: 2)])
        #expect(throws: InvalidBrokerAddress.self) { try BrokerAddress.list(parsing: ",") }
    }
}
