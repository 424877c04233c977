/// What a command was asked and cannot do: a setting that is not valid, a group that is not there. Says which, and what to do.
struct CommandError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
