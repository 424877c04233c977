import MetricModel
import TestKit
import Testing

/// What a format said about a text: samples as `series value@milliseconds`, rejections as `number: reason`.
private struct Reading {
    var samples: [String] = []
    var rejected: [String] = []
    var skipped = 0
    /// Whether each series was the canonical text of the labels it means.
    var isCanonical = true

    init(_ bytes: [UInt8], as format: String, limits: TextFormat.Limits = TextFormat.Limits()) throws {
        let choice = try FormatChoice(parsing: format)
        var reading = FormatReading(limits: limits)
        reading.defaultTimestamp = Timestamp(milliseconds: 7)
        reading.parameters = choice.parameters
        var failure: TextFormatError?
        bytes.withUnsafeBytes { buffer in
            choice.format.read(buffer, &reading) { unreadable in
                rejected.append("\(unreadable.number): \(unreadable.reason)")
            } _: { line in
                do throws(TextFormatError) {
                    let labels = try Labels(parsing: line.series, limits: limits)
                    if !labels.description.utf8.elementsEqual(line.series) { isCanonical = false }
                    samples.append("\(labels) \(line.value)@\(line.timestamp.milliseconds)")
                } catch {
                    failure = error
                }
            }
        }
        skipped = reading.skippedValues
        if let failure { throw failure }
    }

    init(_ text: String, as format: String, limits: TextFormat.Limits = TextFormat.Limits()) throws {
        try self.init(Array(text.utf8), as: format, limits: limits)
    }
}

private let openMetricsText = #"""
    # HELP http_requests Requests.
    # TYPE http_requests counter
    http_requests_total{code="200"} 17 1700000000.25 # {trace_id="ab12"} 0.5 1700000000.1
    http_requests_created{code="200"} 1699990000.5
    # TYPE latency_seconds histogram
    latency_seconds_bucket{le="0.1"} 8 # {} 0.054
    latency_seconds_bucket{le="+Inf"} 10 1700000000
    # EOF

    """#

private let influxText = #"""
    # a comment
    weather,station=Zürich\ HB,floor=2 temp=21.5,people=41i,open=true,note="a, \"b\" = c",big=18446744073709551615u 1700000000123456789
    cpu value=-1e3

    my\,measure\ ment,k\=ey=a\,b\=c,"q"=\d f\ 1=T,g=F 1700000000000000000
    text only="this
    goes=1 on",x=2 1700000001999999999
    after v=1 -1
    """#

private let collectdText = #"""
    [{"values":[1200,3400.5],"dstypes":["derive","counter"],"dsnames":["rx","tx"],"time":1700000000.250,\#
    "interval":10.000,"host":"lab","plugin":"interface","plugin_instance":"eth0","type":"if_octets",\#
    "type_instance":"","meta":{"a":[true,false,null,{"b":"\u00e9"}]}},
     {"values":[0.25,0.5,null],"dstypes":["gauge","gauge","gauge"],"dsnames":["shortterm","midterm","longterm"],\#
    "time":1700000000,"host":"lab","plugin":"load","plugin_instance":"","type":"load","type_instance":""},
     {"values":[5],"dstypes":["derive"],"dsnames":["value"],"time":1700000000.001,"host":"l\"a\u0062\ud83d\ude00",\#
    "plugin":"cpu","plugin_instance":"0","type":"cpu","type_instance":"idle"},
     {"values":[6],"dstypes":["gauge"],"dsnames":["value"],"host":"lab",\#
    "plugin":"memory","plugin_instance":"","type":"memory","type_instance":"free"}]
    """#

@Suite struct FormatTests {
    @Test func `OpenMetrics: seconds, exemplars passed over, created times kept`() throws {
        let reading = try Reading(openMetricsText, as: "application/openmetrics-text; version=1.0.0")
        #expect(reading.rejected.isEmpty)
        #expect(
            reading.samples == [
                #"http_requests_total{code="200"} 17.0@1700000000250"#,
                #"http_requests_created{code="200"} 1699990000.5@7"#,
                #"latency_seconds_bucket{le="0.1"} 8.0@7"#,
                #"latency_seconds_bucket{le="+Inf"} 10.0@1700000000000"#,
            ])
    }

    @Test func `OpenMetrics: each bad line says why, and the others go on`() throws {
        let reading = try Reading("a 1 x\nb 1 2 3\nc\nd 1 NaN\ne 1 1e300\nf 1\n# EOF\ng 1\n# EOF\n", as: "openmetrics")
        #expect(reading.samples == ["f 1.0@7"])
        #expect(
            reading.rejected == [
                "1: 'x' is no timestamp in seconds", "2: '3' stands after the sample", "3: no value after the series",
                "4: 'NaN' is no timestamp in seconds", "5: '1e300' is no timestamp in seconds",
                "8: stands after '# EOF'", "9: stands after '# EOF'",
            ])
    }

    @Test func `InfluxDB: fields, tags, escapes, strings over lines`() throws {
        let reading = try Reading(influxText, as: "influx")
        #expect(reading.rejected.isEmpty)
        #expect(reading.skipped == 2)
        #expect(reading.isCanonical)
        #expect(
            reading.samples == [
                #"weather_temp{floor="2",station="Zürich HB"} 21.5@1700000000123"#,
                #"weather_people{floor="2",station="Zürich HB"} 41.0@1700000000123"#,
                #"weather_open{floor="2",station="Zürich HB"} 1.0@1700000000123"#,
                #"weather_big{floor="2",station="Zürich HB"} 1.8446744073709552e+19@1700000000123"#,
                "cpu_value -1000.0@7",
                #"{"my,measure ment_f 1","\"q\""="\\d","k=ey"="a,b=c"} 1.0@1700000000000"#,
                #"{"my,measure ment_g","\"q\""="\\d","k=ey"="a,b=c"} 0.0@1700000000000"#,
                "text_x 2.0@1700000001999",
                "after_v 1.0@-1",
            ])
    }

    @Test(arguments: [("ns", 1), ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000)])
    func `InfluxDB: the time's unit is the precision`(unit: String, factor: Int64) throws {
        for type in ["influx;precision=\(unit)", "text/vnd.influxdb.line-protocol; Precision=\"\(unit.uppercased())\""]
        {
            let reading = try Reading("a v=1 \(1_700_000_000_000_000_000 / factor)\r\n", as: type)
            #expect(reading.samples == ["a_v 1.0@1700000000000"])
            #expect(reading.rejected.isEmpty)
        }
    }

    @Test(
        arguments: [
            (",a=b v=1", "no measurement"), ("m", "no field after the measurement and its tags"),
            ("m ", "no field after the measurement and its tags"), ("m,t v=1", "no '=' after label 't'"),
            ("m,t= v=1", "tag 't' has no value"), ("m,=x v=1", "'' is no name"), ("m,a=1,a=2 v=1", "label 'a'"),
            ("m,__name__=x v=1", "given twice"), ("m v", "no '=' after field 'v'"), ("m =1", "a field has no name"),
            ("m v=", "'' is no number"), ("m v=1x", "'1x' is no number"), ("m v=nan", "'nan' is no number"),
            ("m v=1e999", "no number"), ("m v=9223372036854775808i", "no number"), ("m v=-1u", "no number"),
            ("m v=1,", "a field has no name"), ("m v=1 x", "'x' is no timestamp in ns"),
            ("m v=1 1 2", "'2' stands after the sample"), (#"m v="open"#, "a quote is not closed"),
            (#"m v="a"b"#, "'b' stands after the sample"), ("m v=1,w=x 5", "'x' is no number"),
        ])
    func `InfluxDB: a bad line is rejected as a whole, and the others go on`(line: String, reason: String) throws {
        let reading = try Reading("before v=1\n\(line)\nafter v=1", as: "influx")
        #expect(reading.samples == ["before_v 1.0@7", "after_v 1.0@7"])
        #expect(reading.rejected.count == 1)
        let first = try #require(reading.rejected.first)
        #expect(first.hasPrefix("2: ") && first.contains(reason), "\(first)")
    }

    @Test func `collectd: the names of its write_prometheus`() throws {
        let reading = try Reading(collectdText, as: "application/json")
        #expect(reading.rejected.isEmpty)
        #expect(reading.isCanonical)
        #expect(
            reading.samples == [
                #"collectd_interface_if_octets_rx_total{instance="lab",interface="eth0"} 1200.0@1700000000250"#,
                #"collectd_interface_if_octets_tx_total{instance="lab",interface="eth0"} 3400.5@1700000000250"#,
                #"collectd_load_shortterm{instance="lab"} 0.25@1700000000000"#,
                #"collectd_load_midterm{instance="lab"} 0.5@1700000000000"#,
                #"collectd_load_longterm{instance="lab"} nan@1700000000000"#,
                #"collectd_cpu_total{cpu="0",instance="l\"ab😀",type="idle"} 5.0@1700000000001"#,
                #"collectd_memory{instance="lab",memory="free"} 6.0@7"#,
            ])
    }

    @Test func `collectd: a bad value list is rejected with its number, and the others go on`() throws {
        func list(_ values: String, _ more: String = #""plugin":"p","type":"t""#) -> String {
            #"{"values":\#(values),"dstypes":["gauge"],"dsnames":["value"],\#(more)}"#
        }
        let elements = [
            list("[1]"), list("[1,2]"), list("[]"), list(#"["x"]"#), list("[1]", #""type":"t""#),
            list("[1]", #""plugin":"p""#), list("[1]", #""plugin":"p","type":"t","time":"now""#),
            list("[1]", #""plugin":"p","type":"t","time":1e300"#), "7", list("[2]"),
        ]
        let reading = try Reading("[\(elements.joined(separator: ","))]", as: "collectd")
        #expect(reading.samples == ["collectd_p_t 1.0@7", "collectd_p_t 2.0@7"])
        #expect(reading.rejected.map { $0.prefix(2) } == ["2:", "3:", "4:", "5:", "6:", "7:", "8:", "9:"])
        #expect(reading.rejected[0] == "2: 2 values, 1 dsnames and 1 dstypes; they belong together")
        #expect(reading.rejected[3] == "5: the value list has no plugin")
    }

    @Test func `collectd: what is no JSON, or nested without end, is rejected once`() throws {
        let good = #"{"values":[1],"dstypes":["gauge"],"dsnames":["value"],"plugin":"p","type":"t"}"#
        for (text, samples) in [
            ("", 0), ("hello", 0), ("[\(good),{", 1), ("[\(good)] x", 1), ("[\(good) \(good)]", 1), ("\(good)", 1),
            (String(repeating: "[", count: 100_000), 0), (String(repeating: #"{"a":"#, count: 100_000), 0),
        ] {
            let reading = try Reading(text, as: "collectd")
            #expect(reading.samples.count == samples, "\(text.prefix(20))")
            #expect(reading.rejected.count == (text == good ? 0 : 1), "\(reading.rejected)")
        }
    }

    @Test func `limits hold in every format`() throws {
        let limits = TextFormat.Limits(
            maximumLineBytes: 120, maximumLabels: 2, maximumNameBytes: 24, maximumLabelValueBytes: 10)
        let long = String(repeating: "x", count: 30)
        let influx = try Reading(
            """
            \(long) v=1
            m \(long)=1
            m,\(long)=1 v=1
            m,a=\(long) v=1
            m,a=1,b=2,c=3 v=1
            m a=1,b=\"\(String(repeating: "y", count: 150))\"
            m a=\(String(repeating: "1", count: 150))
            m,a=\"\"\"\"\"\"\"\" v=1
            m v=1
            """, as: "influx", limits: limits)
        #expect(influx.samples == ["m_v 1.0@7"])
        #expect(influx.rejected.map { $0.prefix(2) } == ["1:", "2:", "3:", "4:", "5:", "6:", "7:", "8:"])
        #expect(influx.rejected[6] == "7: 154 bytes, more than maximumLineBytes (120)")
        let collectd = try Reading(
            #"[{"values":[1],"dstypes":["gauge"],"dsnames":["value"],"plugin":"\#(long)","type":"t"}]"#,
            as: "collectd", limits: limits)
        #expect(collectd.samples.isEmpty)
        #expect(collectd.rejected.first?.contains("maximumNameBytes (24)") == true)
    }

    @Test func `a content type chooses by type and name, and an unknown one is named`() throws {
        for (type, name) in [
            ("text/plain", "prometheus"), ("text/plain; version=0.0.4; charset=utf-8", "prometheus"),
            (" Application/OpenMetrics-Text ", "openmetrics"), ("INFLUX", "influx"), ("application/json", "collectd"),
            ("application/vnd.influxdb.line-protocol;", "influx"), ("influx;x;=;precision=s", "influx"),
        ] {
            #expect(try FormatChoice(parsing: type).format.name == name)
        }
        for type in ["", ";", "text/html", "image/png; q=1", String(repeating: "z", count: 10_000)] {
            let error = #expect(throws: FormatChoiceError.self) { try FormatChoice(parsing: type) }
            #expect(
                error.map { "\($0)".contains("'\(type.prefix { $0 != ";" }.prefix(60))") && "\($0)".count < 500 }
                    == true)
        }
        let error = #expect(throws: FormatChoiceError.self) { try FormatChoice(parsing: "influx; precision=h") }
        #expect(error.map { "\($0)" } == "the content type's precision is 'h'; it is one of: ns, us, ms, s")
    }

    private static let texts: [(String, String)] = [
        ("prometheus", openMetricsText), ("openmetrics", openMetricsText), ("influx", influxText),
        ("influx;precision=s", influxText), ("collectd", collectdText),
    ]

    @Test(arguments: texts) func `a text cut at any byte is read as far as it goes`(format: String, text: String) throws
    {
        let whole = Array(text.utf8)
        for length in 0...whole.count {
            let reading = try Reading(Array(whole[..<length]), as: format)
            #expect(reading.rejected.count <= 12)
        }
    }

    @Test(arguments: texts) func `bytes changed at random never do harm`(format: String, text: String) throws {
        var random = SeededGenerator()
        let whole = Array(text.utf8)
        let bytes = Array("\"\\{}[],:= \n\r\t#0123456789eEiu+-.ntf".utf8) + [0, 0x1F, 0x7F, 0x80, 0xC3, 0xED, 0xFF]
        for _ in 0..<2000 {
            var mutated = whole
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let place = Int.random(in: 0..<mutated.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: mutated.remove(at: place)
                case 1: mutated.insert(bytes.randomElement(using: &random) ?? 0, at: place)
                case 2:
                    let other = Int.random(in: 0..<mutated.count, using: &random)
                    mutated.insert(
                        contentsOf: Array(mutated[min(place, other)..<max(place, other)].prefix(40)), at: place)
                default: mutated[place] = bytes.randomElement(using: &random) ?? 0
                }
            }
            // Every series that is handed out can be read as labels, or this throws.
            let limits = TextFormat.Limits(
                maximumLineBytes: 300, maximumLabels: 3, maximumNameBytes: 40, maximumLabelValueBytes: 20)
            let reading = try Reading(mutated, as: format, limits: limits)
            if format != "prometheus", format != "openmetrics" { #expect(reading.isCanonical) }
        }
    }
}
