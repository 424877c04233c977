import MetricModel
import TestKit
import Testing

@Suite struct PatternTests {
    private func matches(_ pattern: String, _ value: String) throws -> Bool {
        try LabelMatcher("x", .matches, pattern).matches(value: value)
    }

    @Test(
        arguments: [
            ("", [""], ["a"]), ("a", ["a"], ["", "aa", "b"]), ("a|bc|", ["a", "bc", ""], ["ab", "b"]),
            ("a(b|c)d", ["abd", "acd"], ["ad", "abcd"]), ("(?:a|b)+", ["a", "abba"], ["", "abc"]),
            ("(?P<n>a)(?<m>b)", ["ab"], ["a"]), ("ab?", ["a", "ab"], ["abb"]), ("a*?b+?", ["b", "aabb"], ["a"]),
            ("a{2}", ["aa"], ["a", "aaa"]), ("a{2,}", ["aa", "aaaa"], ["a"]), ("a{1,3}", ["a", "aaa"], ["", "aaaa"]),
            ("a{0}", [""], ["a"]), ("a{,2}", ["a{,2}"], ["a", "aa"]), ("a{x}", ["a{x}"], ["a"]), ("{", ["{"], [""]),
            ("[abc]", ["a", "c"], ["d", "ab"]), ("[^abc]", ["d", "\n"], ["a", ""]), ("[a-c0-9_]+", ["b7_"], ["d"]),
            ("[]a]", ["]", "a"], ["b"]), ("[^]a]", ["b"], ["]", "a"]), ("[a-]", ["a", "-"], ["b"]),
            ("[\\]\\-]", ["]", "-"], ["\\"]), ("[[:alpha:]_]+", ["aZ_"], ["1"]), ("[[:^digit:]]", ["a"], ["1"]),
            ("[\\d.]+", ["1.5"], ["a"]), ("[^\\d]", ["a"], ["1"]), ("[\\D]", ["a"], ["1"]), ("[^\\D]", ["1"], ["a"]),
            ("\\d\\D\\w\\W\\s\\S", ["1a_- b"], ["aa_- b"]), ("\\w", ["a"], ["ü"]), ("\\pL+", ["äß日"], ["1"]),
            ("\\p{Lu}\\PL", ["Ä1"], ["ä1", "Äa"]), ("\\p{^L}", ["1"], ["a"]),
            (".", ["a", "\n", "ü", "😀"], ["", "ab"]),
            ("(?-s).", ["a"], ["\n"]), ("(?-s:.).", ["a\n"], ["\na"]), ("a.*", ["a", "a\nb"], ["b", ""]),
            (".+", ["a"], [""]), (".*", ["", "a"], []), (".*a.*", ["a", "bab"], ["b"]), ("a.+", ["ab"], ["a"]),
            ("(?i)ab[c-d]", ["AbC", "abD"], ["abe"]), ("(?i:a)b", ["Ab"], ["AB"]), ("(?i)ä", ["Ä", "ä"], ["a"]),
            ("(?i)[^a]", ["b"], ["A", "a"]), ("((?i)a)b", ["Ab"], ["AB"]), ("a(?i)b", ["aB"], ["Ab"]),
            ("^a$", ["a"], ["b"]), ("\\Aa\\z", ["a"], [""]), ("a^b", [], ["ab", "a^b"]), ("^*a", ["a"], []),
            ("(?m)a$\n^b", ["a\nb"], ["ab"]), ("a\\b-\\bb", ["a-b"], ["a--b"]), ("a\\Bb", ["ab"], ["a"]),
            ("\\bab", ["ab"], []), ("\\Q[a]*\\E+", ["[a]*", "[a]***"], ["a", "[a]"]), ("\\Qa", ["a"], []),
            ("\\x41\\x{1F600}\\101\\n\\t", ["A😀A\n\t"], []), ("\\.\\*\\\\", [".*\\"], ["a"]), ("()", [""], ["a"]),
            ("(|a)*b", ["b", "aab"], ["a"]), ("(a*)*", ["", "aaa"], ["b"]), ("(a*)+b", ["b", "aab"], ["a"]),
            ("((){1000}){1000}", [""], ["a"]), ("x(a|b{2}|)*y", ["xy", "xabby"], ["xby"]),
        ] as [(String, [String], [String])])
    func `a pattern matches whole values as in RE2`(pattern: String, matching: [String], others: [String]) throws {
        for value in matching { #expect(try matches(pattern, value), "\(pattern) should match \(value)") }
        for value in others { #expect(try !matches(pattern, value), "\(pattern) should not match \(value)") }
    }

    @Test(
        arguments: [
            ("a(", "a '(' is not closed"), ("a)", "a ')' has no '('"), ("*a", "'*' has nothing to repeat"),
            ("a|+", "'+' has nothing to repeat"), ("{2}", "'{' has nothing to repeat"),
            ("a**", "a repetition cannot be repeated; use a group"), ("[a", "a '[' is not closed"),
            ("[]", "a '[' is not closed"), ("[b-a]", "the range 'b-a' ends before it begins"),
            ("a{3,2}", "the repetition {3,2} ends before it begins"),
            ("a{1001}", "it repeats something more than 1000 times"), ("(a{1000}){1000}", "it is too large"),
            ("a\\", "it ends in a backslash"), ("\\k", "'\\k' is no escape"),
            ("(a)\\1", "back-references are not supported"),
            ("(?=a)", "look-around is not supported"), ("(?<!a)b", "look-around is not supported"),
            ("(?x)a", "'(?x' is not supported"), ("[[:foo:]]", "there is no character class [:foo:]"),
            ("\\p{Greek}", "there is no general category 'Greek'; scripts are not supported"),
            ("\\xZZ", "'\\x' needs two hexadecimal digits, or a character's number in braces"),
            ("(?P<n", "a group's name is not closed by '>'"),
        ])
    func `what is no pattern is refused with the reason`(pattern: String, reason: String) throws {
        let error = try #require(throws: LabelPatternError.self) { try LabelMatcher("x", .matches, pattern) }
        #expect(error.reason == reason)
        #expect(error.source == pattern)
    }

    @Test func `groups nested too deep are refused, not followed`() {
        let pattern = String(repeating: "(", count: 100_000)
        #expect(throws: LabelPatternError.self) { try LabelMatcher("x", .matches, pattern) }
    }

    @Test(arguments: ["(a+)+b", "(a|a)*b", "(a*)*b", "(.*)(.*)(.*)(.*)b", "(a?){50}a{50}b"])
    func `no pattern takes a value's length to a power`(pattern: String) throws {
        #expect(try !matches(pattern, String(repeating: "a", count: 2000)))
        #expect(try matches(pattern, String(repeating: "a", count: 60) + "b"))
    }

    @Test func `few values are spelled out, for a store that looks them up`() throws {
        func values(_ pattern: String) throws -> [String]? { try LabelMatcher("x", .matches, pattern).onlyValues }
        #expect(try values("idle|user") == ["idle", "user"])
        #expect(try values("eth[01]|(lo|wlan)0") == ["eth0", "eth1", "lo0", "wlan0"])
        #expect(try values("a\\.b") == ["a.b"])
        #expect(try values("a|") == ["a", ""])
        #expect(try values("(?i)a1") == nil)
        #expect(try values("(?i)1-2") == ["1-2"])
        #expect(try values("[a-z][a-z]") == nil)
        #expect(try values("a?") == nil)
    }

    @Test func `random patterns agree with Swift's own engine, and none traps`() throws {
        var random = SeededGenerator()
        let pieces = [
            "a", "b", ".", "[ab]", "[^a]", "(", ")", "|", "*", "+", "?", "{2}", "{1,2}", "(?:", "\\w", "", "^", "$",
        ]
        var compared = 0
        for _ in 0..<3000 {
            let count = Int.random(in: 1...7, using: &random)
            let pattern = (0..<count).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
            guard let matcher = try? LabelMatcher("x", .matches, pattern),
                let reference = try? Regex(pattern).dotMatchesNewlines().matchingSemantics(.unicodeScalar)
            else { continue }
            // Where a mark within the text is repeated or stands in a group, the two differ in what they accept at all.
            if pattern.contains("^") || pattern.contains("$") { continue }
            for value in ["", "a", "b", "ab", "ba", "aab", "abab", "c"] {
                let expected = try reference.wholeMatch(in: value) != nil
                #expect(matcher.matches(value: value) == expected, "\(pattern) on '\(value)'")
                compared += 1
            }
        }
        #expect(compared > 1000)
    }
}
