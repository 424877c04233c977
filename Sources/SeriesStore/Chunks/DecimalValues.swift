/// Values as whole numbers of a common decimal place: 12.34 and 5 as 1234 and 500 hundredths.
///
/// Metrics are measured in decimals (hundredths of seconds, bytes), and their doubles share no bits, while these whole
/// numbers differ little from one to the next. Only for values that come back bit by bit.
struct DecimalValues {
    private static let powersOfTen: [Double] = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12]
    /// Beyond 2^53 not every whole number is a double.
    private static let largest = 9_007_199_254_740_992.0

    /// How many decimal places the numbers count.
    let places: Int
    let numbers: [Int64]

    /// Nil when some value is no decimal of few places.
    init?(_ values: some Collection<Double>) {
        var places = 0
        for value in values {
            while Self.number(value, places) == nil {
                places += 1
                guard places < Self.powersOfTen.count else { return nil }
            }
        }
        var numbers: [Int64] = []
        numbers.reserveCapacity(values.count)
        for value in values {
            // What fits with fewer places may be too large with these.
            guard let number = Self.number(value, places) else { return nil }
            numbers.append(number)
        }
        self.places = places
        self.numbers = numbers
    }

    /// A value counted in units of a decimal place; nil when it does not come back from that bit by bit.
    private static func number(_ value: Double, _ places: Int) -> Int64? {
        let scaled = value * powersOfTen[places]
        guard scaled.magnitude <= largest else { return nil }
        // Rounded by hand, as the library's function is slow; if this is off by one the value does not come back.
        let number = Int64(scaled + (scaled < 0 ? -0.5 : 0.5))
        // A whole number over a power of ten rounds correctly, so decimal text comes back; -0 does not.
        return (Double(number) / powersOfTen[places]).bitPattern == value.bitPattern ? number : nil
    }

    /// The value of a number; nil when there are no so many places.
    static func divisor(places: UInt8) -> Double? {
        Int(places) < powersOfTen.count ? powersOfTen[Int(places)] : nil
    }
}
