import MetricModel
import Testing

@Suite struct LabelsTests {
    @Test func `labels are sorted by the bytes of their names and each name stands once`() throws {
        let labels = try Labels(metricName: "up", [Label("job", "a"), Label("Zone", "b"), Label("instance", "c")])
        #expect(labels.map(\.name) == ["Zone", "__name__", "instance", "job"])
        #expect(labels.metricName == "up")
        #expect(labels["job"] == "a")
        #expect(labels["missing"] == nil)
        #expect(throws: LabelsError.duplicateName("job")) {
            try Labels([Label("job", "a"), Label("job", "b")])
        }
        #expect(throws: LabelsError.emptyName(value: "x")) { try Labels([Label("", "x")]) }
    }

    @Test func `an empty value is the same as no label`() throws {
        #expect(try Labels([Label("a", ""), Label("b", "1")]) == ["b": "1"])
        #expect((["a": "1", "b": "2"] as Labels).setting("a", to: "") == ["b": "2"])
    }

    @Test func `labels differ when their bytes do, even where Swift calls the characters equal`() {
        let composed: Labels = ["city": "M\u{FC}nchen"]
        let decomposed: Labels = ["city": "Mu\u{308}nchen"]
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
    }

    @Test func `setting and removing keep the order`() {
        let labels: Labels = ["__name__": "up", "job": "a"]
        #expect(labels.setting("instance", to: "h").description == #"up{instance="h",job="a"}"#)
        #expect(labels.setting("job", to: "b").description == #"up{job="b"}"#)
        #expect(labels.removing("__name__", "job") == Labels())
    }

    @Test(
        arguments: [
            ("up", ["__name__": "up"]),
            (#"up{a="b",c="d"}"#, ["c": "d", "a": "b", "__name__": "up"]),
            (#"{a="b"}"#, ["a": "b"]),
            ("{}", Labels()),
            (#"x{p="C:\\dir \"quoted\"\nend"}"#, ["__name__": "x", "p": "C:\\dir \"quoted\"\nend"]),
            (#"{"my.metric","my.label"="ü",z="1"}"#, ["__name__": "my.metric", "my.label": "ü", "z": "1"]),
        ] as [(String, Labels)])
    func `the description is the canonical text`(text: String, labels: Labels) {
        #expect(labels.description == text)
    }

    @Test func `labels order by name, then value, then length`() {
        let sorted: [Labels] = [[:], ["a": "1"], ["a": "1", "b": "1"], ["a": "2"], ["b": "0"]]
        #expect(sorted.reversed().sorted() == sorted)
    }
}

@Suite struct LabelMatcherTests {
    @Test(
        arguments: [
            (.equal, "idle", "idle", true), (.equal, "idle", "idl", false), (.equal, "", "", true),
            (.notEqual, "idle", "user", true), (.notEqual, "idle", "idle", false),
            (.matches, "idle", "idle", true), (.matches, "idle", "idle2", false),
            (.matches, "idle|user", "user", true), (.matches, "idle|user", "users", false),
            (.matches, "a|", "", true), (.matches, ".*", "", true), (.matches, ".+", "", false),
            (.matches, "eth.*", "eth0", true), (.matches, "eth.*", "meth0", false), (.matches, "eth.+", "eth", false),
            (.matches, "a.*", "a\nb", true), (.matches, "ab?c+", "acc", true), (.matches, "ab?c+", "xacc", false),
            (.matches, "[a-c]{2}", "ac", true), (.matches, "[a-c]{2}", "aca", false),
            (.matches, "(?i)ETH\\d", "eth7", true), (.matches, "a|b.", "bc", true), (.matches, "a|b.", "ac", false),
            (.matches, ".", "ü", true),
            (.notMatches, "eth.*", "lo", true), (.notMatches, "eth.*", "eth1", false),
        ] as [(LabelMatcher.Operation, String, String, Bool)])
    func `a matcher compares the whole value`(
        operation: LabelMatcher.Operation, pattern: String, value: String, matches: Bool
    ) throws {
        #expect(try LabelMatcher("x", operation, pattern).matches(["x": value]) == matches)
    }

    @Test func `an absent label has the empty value`() throws {
        #expect(LabelMatcher("x", equals: "").matches(["y": "1"]))
        #expect(try LabelMatcher("x", .notEqual, "1").matchesEmpty)
        #expect(try !LabelMatcher("x", .matches, ".+").matchesEmpty)
    }

    @Test func `a matcher that only a few values meet says which`() throws {
        #expect(LabelMatcher("x", equals: "a").onlyValues == ["a"])
        #expect(try LabelMatcher("x", .matches, "a|b").onlyValues == ["a", "b"])
        #expect(try LabelMatcher("x", .matches, "a.*").onlyValues == nil)
        #expect(try LabelMatcher("x", .notEqual, "a").onlyValues == nil)
    }

    @Test func `an invalid regular expression is named`() {
        let error = #expect(throws: LabelPatternError.self) { try LabelMatcher("x", .matches, "a(") }
        #expect(error?.description.contains("'a('") == true)
    }

    @Test func `the description is PromQL`() throws {
        #expect(try LabelMatcher("mode", .notMatches, "a\"b").description == #"mode!~"a\"b""#)
    }
}
