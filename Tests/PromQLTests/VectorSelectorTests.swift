import MetricModel
import PromQL
import Testing

@Suite struct VectorSelectorTests {
    @Test(
        arguments: [
            ("up", "up"), (" up ", "up"), ("job:up:rate5m", "job:up:rate5m"), ("up{}", "up"),
            (#"up{job="a"}"#, #"up{job="a"}"#),
            (#"up { job = "a" , zone != "b" , }"#, #"up{job="a",zone!="b"}"#),
            (#"up{a="b",c!="d",e=~"x.*",f!~"y"}"#, #"up{a="b",c!="d",e=~"x.*",f!~"y"}"#),
            (#"{job="a"}"#, #"{job="a"}"#), (#"{"up",job="a"}"#, #"up{job="a"}"#),
            (#"{"my.metric",'my.label'="x"}"#, #"{__name__="my.metric","my.label"="x"}"#),
            (#"{__name__=~"node_.+"}"#, #"{__name__=~"node_.+"}"#),
            ("up{a='b',c=`d\\e`}", #"up{a="b",c="d\\e"}"#), (#"up{a='it\'s',b="\"q\""}"#, #"up{a="it's",b="\"q\""}"#),
            (#"up{a="\x41\102\u00fc\U0001F600\t"}"#, "up{a=\"ABü😀\t\"}"), ("up # now\n{a='b'} # end", #"up{a="b"}"#),
            (#"up{a=""}"#, #"up{a=""}"#), (#"up{instance="ü"}"#, #"up{instance="ü"}"#),
        ])
    func `a selector is read as Prometheus reads it`(query: String, canonical: String) throws {
        let selector = try VectorSelector(parsing: query)
        #expect(selector.description == canonical)
        #expect(try VectorSelector(parsing: canonical) == selector)
    }

    @Test func `a selector takes the series that meet every matcher`() throws {
        let selector = try VectorSelector(parsing: #"node_cpu_seconds_total{mode=~"idle|user",cpu!="1"}"#)
        #expect(selector.matches(["__name__": "node_cpu_seconds_total", "mode": "idle", "cpu": "0"]))
        #expect(selector.matches(["__name__": "node_cpu_seconds_total", "mode": "user"]))
        #expect(!selector.matches(["__name__": "node_cpu_seconds_total", "mode": "idle", "cpu": "1"]))
        #expect(!selector.matches(["__name__": "node_cpu", "mode": "idle", "cpu": "0"]))
    }

    @Test(
        arguments: [
            (
                "", "unexpected end of query, expected a metric name or \"{\"",
                """

                ^
                """
            ),
            (
                "cpu{mode}", "unexpected \"}\", expected =, !=, =~ or !~ after label 'mode'",
                """
                cpu{mode}
                        ^
                """
            ),
            (
                "cpu{mode=idle}", "unexpected \"idle\", expected a quoted value after mode=",
                """
                cpu{mode=idle}
                         ^^^^
                """
            ),
            (
                "cpu{mode=\"idle\"", "unexpected end of query, expected \",\" or \"}\" after a label matcher",
                """
                cpu{mode="idle"
                               ^
                """
            ),
            (
                "cpu{,}", "unexpected \",\", expected a label name or \"}\"",
                """
                cpu{,}
                    ^
                """
            ),
            (
                "cpu{a:b='c'}", "unexpected \"a:b\", expected a label name without \":\", or in quotes",
                """
                cpu{a:b='c'}
                    ^^^
                """
            ),
            (
                "cpu{mode='idle'} foo", "unexpected \"foo\", expected the end of the selector",
                """
                cpu{mode='idle'} foo
                                 ^^^
                """
            ),
            (
                "cpu[5m]", "unexpected \"[\", expected the end of the selector",
                """
                cpu[5m]
                   ^
                """
            ),
            (
                "cpu{mode!'idle'}", "unexpected character \"!\"; write != or !~",
                """
                cpu{mode!'idle'}
                        ^
                """
            ),
            (
                "cpu{mode=\"idle}", "this string has no closing \"",
                """
                cpu{mode="idle}
                         ^^^^^^
                """
            ),
            (
                #"cpu{mode="\d"}"#,
                #""\d" is no escape; for a plain backslash write \\ or put the string in backquotes"#,
                #"""
                cpu{mode="\d"}
                          ^^
                """#
            ),
            (
                #"cpu{mode="\xff"}"#, "the escapes of this string do not make UTF-8",
                #"""
                cpu{mode="\xff"}
                         ^^^^^^
                """#
            ),
            (
                "ü", "unexpected character \"ü\"",
                """
                ü
                ^
                """
            ),
            (
                "1x", "\"1x\" is neither a number nor a duration such as 1h30m",
                """
                1x
                ^^
                """
            ),
            (
                "cpu{__name__='x'}", "the metric name must not be set twice: 'cpu' or 'x'",
                """
                cpu{__name__='x'}
                             ^^^
                """
            ),
            (
                "{'a','b'}", "the metric name must not be set twice: 'a' or 'b'",
                """
                {'a','b'}
                     ^^^
                """
            ),
            (
                "{}",
                "a vector selector must contain at least one non-empty matcher; name a metric or a label's value",
                """
                {}
                ^^
                """
            ),
            (
                "{a=~'.*', b=''}",
                "a vector selector must contain at least one non-empty matcher; name a metric or a label's value",
                """
                {a=~'.*', b=''}
                ^^^^^^^^^^^^^^^
                """
            ),
        ])
    func `an error says what was expected and points at the trouble`(
        query: String, message: String, picture: String
    ) throws {
        let error = try #require(throws: PromQLError.self) { try VectorSelector(parsing: query) }
        #expect(error.message == message)
        #expect(error.description == "\(error.line):\(error.column): \(message)\n\(picture)")
    }

    @Test func `an invalid regular expression is pointed at`() throws {
        let error = try #require(throws: PromQLError.self) { try VectorSelector(parsing: "cpu{mode=~'a('}") }
        #expect(error.range == 10..<14)
        #expect(error.message.hasPrefix("'a(' is no regular expression"))
    }

    @Test func `the second line's trouble is shown with the second line`() throws {
        let error = try #require(throws: PromQLError.self) { try VectorSelector(parsing: "cpu{\n\tmode=\n}") }
        #expect(error.line == 3)
        let tabbed = try #require(throws: PromQLError.self) { try VectorSelector(parsing: "cpu{\n\tmode;\n}") }
        #expect(tabbed.description == "2:6: unexpected character \";\"\n\tmode;\n\t    ^")
    }

    @Test func `any text is a selector or an error`() {
        let pieces = [
            "up", "{", "}", "\"a\"", "'", "`", "\\", "=", "!", "~", ",", "[", "5m", "1e", "#", "\n", "ü", ":",
        ]
        var state: UInt64 = 42
        for _ in 0..<5000 {
            var query = ""
            for _ in 0..<8 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                query += pieces[Int(state >> 33) % pieces.count]
            }
            do {
                _ = try VectorSelector(parsing: query)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
