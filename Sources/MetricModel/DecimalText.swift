internal import Glibc

/// Numbers as text: the grammar of the exposition format, read without allocating.
enum DecimalText {
    /// The longest number text that is read; no double needs as much.
    private static let maximumBytes = 400

    /// A whole number with an optional sign; nil when it is none or does not fit.
    static func integer(_ text: UnsafeRawBufferPointer) -> Int64? {
        var position = 0
        var isNegative = false
        if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            position = 1
        }
        guard position < text.count else { return nil }
        // Digits are gathered below zero, where there is room for one number more.
        var number: Int64 = 0
        while position < text.count {
            let digit = text[position] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            let (shifted, overflow) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflowingSum) = shifted.subtractingReportingOverflow(Int64(digit))
            if overflow || overflowingSum { return nil }
            number = sum
            position += 1
        }
        if isNegative { return number }
        return number == .min ? nil : -number
    }

    /// A decimal number, correctly rounded, or NaN, Inf, Infinity in any case; nil when it is none.
    static func double(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= maximumBytes, let scanned = Decimal(scanning: text) else { return special(text) }
        if let exact = scanned.exactDouble { return exact }
        return withUnsafeTemporaryAllocation(byteCount: text.count + 1, alignment: 1) { copy -> Double in
            copy.copyMemory(from: text)
            copy[text.count] = 0
            guard let start = copy.baseAddress else { return .nan }
            return strtod(start.assumingMemoryBound(to: CChar.self), nil)
        }
    }

    private static func special(_ text: UnsafeRawBufferPointer) -> Double? {
        guard text.count <= 9 else { return nil }
        var word = text
        var isNegative = false
        if let first = word.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            word = UnsafeRawBufferPointer(rebasing: word.dropFirst())
        }
        if equals(word, "inf") || equals(word, "infinity") { return isNegative ? -.infinity : .infinity }
        return equals(text, "nan") ? .nan : nil
    }

    private static func equals(_ text: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
        guard text.count == lowercase.utf8CodeUnitCount else { return false }
        for index in 0..<text.count where text[index] | 0x20 != lowercase.utf8Start[index] { return false }
        return true
    }

    /// `significand × 10^exponent` as scanned from text.
    private struct Decimal {
        var isNegative = false
        var significand: UInt64 = 0
        var exponent = 0
        /// Whether digits were left out because the significand was full.
        var isCut = false

        /// Nil when the text is no decimal number.
        init?(scanning text: UnsafeRawBufferPointer) {
            var position = 0
            if let first = text.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
                isNegative = first == UInt8(ascii: "-")
                position = 1
            }
            var digits = 0
            var point: Int?
            while position < text.count {
                let digit = text[position] &- UInt8(ascii: "0")
                if digit < 10 {
                    digits += 1
                    if significand < 1_000_000_000_000_000_000 {
                        significand = significand * 10 + UInt64(digit)
                        if point != nil { exponent -= 1 }
                    } else {
                        isCut = true
                        if point == nil { exponent += 1 }
                    }
                } else if text[position] == UInt8(ascii: "."), point == nil {
                    point = position
                } else {
                    break
                }
                position += 1
            }
            guard digits > 0 else { return nil }
            guard position < text.count else { return }
            guard text[position] | 0x20 == UInt8(ascii: "e") else { return nil }
            let power = UnsafeRawBufferPointer(rebasing: text[(position + 1)...])
            guard let scanned = DecimalText.integer(power) else {
                // An exponent of twenty digits is a number still, and strtod says which.
                guard power.count > 18, power.dropFirst().allSatisfy({ $0.isDigit }),
                    power[0].isDigit || power[0] == UInt8(ascii: "-") || power[0] == UInt8(ascii: "+")
                else { return nil }
                isCut = true
                return
            }
            exponent += Int(max(-100_000, min(100_000, scanned)))
        }

        /// The nearest double where plain integer arithmetic finds it; nil leaves it to strtod.
        var exactDouble: Double? {
            guard !isCut else { return nil }
            if significand == 0 { return isNegative ? -0.0 : 0 }
            guard let magnitude = scaled else { return nil }
            return isNegative ? -magnitude : magnitude
        }

        private var scaled: Double? {
            // Both factors are exact doubles, so the one operation rounds once (Clinger, "How to Read Floating
            // Point Numbers Accurately", 1990).
            if significand <= 1 << 53, exponent.magnitude <= 22 {
                let power = DecimalText.powersOfTen[Int(exponent.magnitude)]
                return exponent < 0 ? Double(significand) / power : Double(significand) * power
            }
            guard exponent < 0, exponent >= -19 else { return nil }
            // Sixteen digits and more after the point: divide as 128-bit integers, keep 64 bits of the quotient
            // and one that tells whether something remained; the conversion to Double then rounds once.
            let power = DecimalText.integerPowersOfTen[-exponent]
            let divisorShift = power.leadingZeroBitCount
            let divisor = power << UInt64(divisorShift)
            var dividend = significand
            let dividendShift = dividend.leadingZeroBitCount
            dividend <<= UInt64(dividendShift)
            // The quotient has to fit, so the dividend's upper half stays below the divisor.
            let (quotient, remainder) = divisor.dividingFullWidth((dividend >> 1, dividend << 63))
            let rounded = Double(quotient | (remainder == 0 ? 0 : 1))
            // The dividend was scaled by 2^(63 + dividendShift), the divisor by 2^divisorShift.
            return rounded * Double(sign: .plus, exponent: divisorShift - dividendShift - 63, significand: 1)
        }
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
        1e19, 1e20, 1e21, 1e22,
    ]

    private static let integerPowersOfTen: [UInt64] = {
        var powers: [UInt64] = [1]
        for _ in 1...19 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()
}
