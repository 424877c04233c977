/// One of Kafka's error codes.
struct ErrorDefinition: Sendable {
    var code: Int
    /// Kafka's name, in its capitals.
    var name: String
    /// Whether the same request may succeed later.
    var isRetriable: Bool
    /// Our words for it, fit to follow a colon.
    var text: String

    init(_ code: Int, _ name: String, retriable: Bool = false, _ text: String) {
        self.code = code
        self.name = name
        self.isRetriable = retriable
        self.text = text
    }

    /// `UNKNOWN_TOPIC_OR_PARTITION` as `unknownTopicOrPartition`; ids get their capitals.
    var swiftName: String {
        let words = name.split(separator: "_").map(String.init)
        var result = ""
        for (index, word) in words.enumerated() {
            if index == 0 {
                result += word.lowercased()
            } else if word == "ID" {
                result += word
            } else {
                result += word.prefix(1) + word.dropFirst().lowercased()
            }
        }
        return result
    }
}
