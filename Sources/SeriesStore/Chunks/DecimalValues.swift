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
            while !Self.fits(value, places) {
                places += 1
                guard places < Self.powersOfTen.count else { return nil }
            }
        }
        var numbers: [Int64] = []
        numbers.reserveCapacity(values.count)
        for value in values {
            // What fits with fewer places may be too large with these.
            guard Self.fits(value, places) else { return nil }
            numbers.append(Int64((value * Self.powersOfTen[places]).rounded()))
        }
        self.places = places
        self.numbers = numbers
    }

    private static func fits(_ value: Double, _ places: Int) -> Bool {
        let number = (value * powersOfTen[places]).rounded()
        guard number.magnitude <= largest else { return false }
        // A whole number over a power of ten rounds correctly, so decimal text comes back; -0 does not.
        return (number / powersOfTen[places]).bitPattern == value.bitPattern && (number != 0 || value.sign == .plus)
    }

    /// The value of a number; nil when there are no so many places.
    static func divisor(places: UInt8) -> Double? {
        Int(places) < powersOfTen.count ? powersOfTen[Int(places)] : nil
    }
}
