import Testing

/// Something that a broker must never serve.
struct CrashDamage: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    func report() { Issue.record("\(self.description)") }
}
