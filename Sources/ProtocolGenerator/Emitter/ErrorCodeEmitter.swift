/// Writes `ErrorCode+Codes.swift`: a constant for each code, and what is known of it.
enum ErrorCodeEmitter {
    static func emit(_ errors: [ErrorDefinition]) -> String {
        let source = SourceText()
        source.line(Generator.marker)
        source.line()
        source.block("extension ErrorCode") {
            for error in errors {
                source.comment("///", "\(error.text.prefix(1).uppercased())\(error.text.dropFirst()).")
                source.line("public static var \(error.swiftName): ErrorCode { ErrorCode(rawValue: \(error.code)) }")
            }
            source.line()
            source.comment("///", "Kafka's name of the code, and what it means; nil for a code that is not known here.")
            source.block("var definition: Definition?") {
                source.line("switch rawValue {")
                for error in errors {
                    var arguments = ["\"\(error.name)\"", "\"\(error.text)\""]
                    if error.isRetriable { arguments.insert("retriable: true", at: 1) }
                    source.line("case \(error.code):")
                    source.nested { source.call("Definition(", arguments) }
                }
                source.line("default: nil")
                source.line("}")
            }
        }
        return source.text
    }
}
