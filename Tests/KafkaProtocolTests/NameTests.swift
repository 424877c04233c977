import KafkaProtocol
import TestKit
import Testing

@Suite("Names and ids")
struct NameTests {
    @Test(
        "topic names are Kafka's",
        arguments: ["a", "metrics.cpu", "A-Z_0.9", "...", String(repeating: "x", count: 249)])
    func validTopics(name: String) throws {
        #expect(try TopicName(name).rawValue == name)
    }

    @Test("other names are refused, and the error names the name")
    func invalidTopics() {
        let long = String(repeating: "x", count: 250)
        let expected: [(String, InvalidTopicName.Reason, String)] = [
            ("", .empty, "the topic name is empty"),
            (".", .dots, "topic name '.' is not allowed; choose one that is not just dots"),
            ("..", .dots, "topic name '..' is not allowed; choose one that is not just dots"),
            (
                "a b", .character(" "),
                "topic name \"a b\" contains ' '; use letters, digits, '.', '_' and '-' only"
            ),
            (
                "a/b", .character("/"),
                "topic name \"a/b\" contains '/'; use letters, digits, '.', '_' and '-' only"
            ),
            (
                "é", .character("é"),
                "topic name \"é\" contains U+00E9; use letters, digits, '.', '_' and '-' only"
            ),
            (long, .tooLong(250), "topic name '\(long.prefix(32))…' has 250 bytes; at most 249 are allowed"),
        ]
        for (name, reason, text) in expected {
            do throws(InvalidTopicName) {
                _ = try TopicName(name)
                Issue.record("\(name) was accepted")
            } catch {
                #expect(error.reason == reason)
                #expect("\(error)" == text)
            }
        }
    }

    @Test("partitions sort by topic and then by number")
    func partitions() throws {
        let a = try TopicName("a")
        let b = try TopicName("b")
        let sorted = [
            TopicPartition(topic: a, partition: 2), TopicPartition(topic: a, partition: 10),
            TopicPartition(topic: b, partition: 0),
        ]
        #expect(sorted.reversed().sorted() == sorted)
        #expect(sorted.map(\.description) == ["a-2", "a-10", "b-0"])
    }

    @Test("an id's text is Kafka's base64, in both directions")
    func uuids() {
        // As Java prints Kafka's Uuid(0x0123456789abcdef, 0xfedcba9876543210), computed with Python's base64.
        let id = KafkaUUID(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210)
        #expect(id.description == "ASNFZ4mrze_-3LqYdlQyEA")
        #expect(KafkaUUID("ASNFZ4mrze_-3LqYdlQyEA") == id)
        #expect(KafkaUUID.zero.description == "AAAAAAAAAAAAAAAAAAAAAA")
        for text in ["", "ASNFZ4mrze_-3LqYdlQyE", "ASNFZ4mrze_-3LqYdlQyEB", "ASNFZ4mrze+-3LqYdlQyEA"] {
            #expect(KafkaUUID(text) == nil)
        }
        var random = SeededGenerator()
        for _ in 0..<200 {
            let id = KafkaUUID.random(using: &random)
            #expect(KafkaUUID(id.description) == id)
            #expect(id.high >> 12 & 0xF == 4)
            #expect(id.low >> 62 == 0b10)
        }
    }

    @Test("an error code that nobody knows keeps its number")
    func errorCodes() {
        let unknown = ErrorCode(rawValue: 4711)
        #expect(unknown.name == "ERROR_4711")
        #expect(!unknown.isRetriable)
        #expect(ErrorCode.notCoordinator.isRetriable)
        #expect(!ErrorCode.topicAlreadyExists.isRetriable)
        #expect("\(ErrorCode.notCoordinator)" == "NOT_COORDINATOR (16): this broker does not coordinate the group")
    }
}
