extension TextFormat {
    /// A value as the format writes it: the shortest text that reads back as the same number, `NaN`, `+Inf`, `-Inf`.
    public static func text(_ number: Double) -> String {
        var writer = Writer()
        writer.append(number: number)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
