/// collectd's JSON, as its plugins write_kafka and write_http send it: an array of value lists (or one alone).
///
///     [{"values": [1200, 3400], "dstypes": ["derive", "derive"], "dsnames": ["rx", "tx"],
///       "time": 1700000000.250, "interval": 10.000, "host": "lab",
///       "plugin": "interface", "plugin_instance": "eth0", "type": "if_octets", "type_instance": ""}]
///
///     → collectd_interface_if_octets_rx_total{instance="lab",interface="eth0"} 1200
///       collectd_interface_if_octets_tx_total{instance="lab",interface="eth0"} 3400
///
/// Series are named as collectd's write_prometheus and the collectd_exporter name them: `collectd`, the plugin
/// unless it is called like the type, the type, the data source unless it is called `value`, and `total` for
/// counters and derives. A plugin instance is a label called like the plugin; a type instance is the label `type`,
/// or, without a plugin instance, the one called like the plugin. `null` is NaN: collectd does not know the value.
extension SampleFormat {
    static let collectdJSON = SampleFormat(
        name: "collectd", mediaTypes: ["application/vnd.collectd+json", "application/json"], numbersLines: false
    ) { text, reading, rejected, sample in
        var reader = JSONReader(text)
        var valueList = CollectdValueList()
        var number = 0
        func read(_ element: UnsafeRawBufferPointer) {
            do throws(TextFormatError.Reason) {
                try valueList.read(element, &reading)
            } catch {
                return rejected(UnreadableSample(number: number, text: element, reason: error))
            }
            let timestamp = valueList.timestamp ?? reading.defaultTimestamp
            for (name, value) in zip(valueList.metricNames, valueList.values) {
                reading.series.write(metricName: name)
                reading.series.bytes.withUnsafeBytes { series in
                    sample(
                        TextFormat.ParsedLine(series: series, value: value, timestamp: timestamp, lineNumber: number))
                }
            }
        }
        var lastStart = 0
        do throws(TextFormatError.Reason) {
            if reader.peek() == UInt8(ascii: "{") {
                number = 1
                read(try reader.skipValue())
            } else {
                try reader.expect(UInt8(ascii: "["))
                while try reader.nextElement(isFirst: number == 0, end: UInt8(ascii: "]")) {
                    number += 1
                    lastStart = reader.position
                    read(try reader.skipValue())
                }
            }
            lastStart = reader.position
            if reader.peek() != nil {
                number += 1
                throw reader.error("text after the value lists")
            }
        } catch {
            // What is no JSON has no elements any more, so the rest is rejected as one.
            let rest = UnsafeRawBufferPointer(rebasing: text[lastStart...])
            rejected(UnreadableSample(number: max(1, number), text: rest, reason: error))
        }
    }
}

/// One value list, read. Its storage serves all value lists of a record.
private struct CollectdValueList {
    private(set) var values: [Double] = []
    /// Of each value; places in the series' text.
    private(set) var metricNames: [Range<Int>] = []
    private(set) var timestamp: Timestamp?

    private var sourceNames: [Range<Int>] = []
    private var areCumulative: [Bool] = []

    /// Reads an element that is known to be JSON, and its labels into the series.
    mutating func read(
        _ element: UnsafeRawBufferPointer, _ reading: inout FormatReading
    ) throws(TextFormatError.Reason) {
        guard element.count <= reading.limits.maximumLineBytes else {
            throw .lineTooLong(bytes: element.count, maximumLineBytes: reading.limits.maximumLineBytes)
        }
        reading.series.clear()
        values.removeAll(keepingCapacity: true)
        sourceNames.removeAll(keepingCapacity: true)
        areCumulative.removeAll(keepingCapacity: true)
        metricNames.removeAll(keepingCapacity: true)
        timestamp = nil
        var host = 0..<0
        var plugin = 0..<0
        var pluginInstance = 0..<0
        var type = 0..<0
        var typeInstance = 0..<0

        var reader = JSONReader(element)
        guard reader.take(UInt8(ascii: "{")) else { throw .malformed("no value list, which is a JSON object") }
        var isFirst = true
        while try reader.nextElement(isFirst: isFirst, end: UInt8(ascii: "}")) {
            isFirst = false
            let key = try reader.string()
            try reader.expect(UInt8(ascii: ":"))
            if key.equals("host") {
                host = try Self.text(&reader, &reading.series)
            } else if key.equals("plugin") {
                plugin = try Self.text(&reader, &reading.series)
            } else if key.equals("plugin_instance") {
                pluginInstance = try Self.text(&reader, &reading.series)
            } else if key.equals("type") {
                type = try Self.text(&reader, &reading.series)
            } else if key.equals("type_instance") {
                typeInstance = try Self.text(&reader, &reading.series)
            } else if key.equals("time") {
                let seconds = try reader.number()
                guard let time = Timestamp(seconds: seconds) else { throw .invalidSeconds("\(seconds)") }
                timestamp = time
            } else if key.equals("values") {
                try readValues(&reader)
            } else if key.equals("dsnames") {
                try readSourceNames(&reader, &reading.series)
            } else if key.equals("dstypes") {
                try readSourceTypes(&reader)
            } else {
                _ = try reader.skipValue()
            }
        }
        if plugin.isEmpty { throw .malformed("the value list has no plugin") }
        if type.isEmpty { throw .malformed("the value list has no type") }
        if values.isEmpty { throw .malformed("the value list has no values") }
        guard values.count == sourceNames.count, values.count == areCumulative.count else {
            let counts = "\(values.count) values, \(sourceNames.count) dsnames and \(areCumulative.count) dstypes"
            throw .malformed("\(counts); they belong together")
        }
        try name(plugin, type, &reading.series)
        try label(host, plugin, pluginInstance, typeInstance, &reading.series)
    }

    private mutating func readValues(_ reader: inout JSONReader) throws(TextFormatError.Reason) {
        values.removeAll(keepingCapacity: true)
        try reader.expect(UInt8(ascii: "["))
        while try reader.nextElement(isFirst: values.isEmpty, end: UInt8(ascii: "]")) {
            values.append(reader.takeNull() ? .nan : try reader.number())
        }
    }

    private mutating func readSourceNames(
        _ reader: inout JSONReader, _ series: inout SeriesText
    ) throws(TextFormatError.Reason) {
        sourceNames.removeAll(keepingCapacity: true)
        try reader.expect(UInt8(ascii: "["))
        while try reader.nextElement(isFirst: sourceNames.isEmpty, end: UInt8(ascii: "]")) {
            sourceNames.append(try Self.text(&reader, &series))
        }
    }

    private mutating func readSourceTypes(_ reader: inout JSONReader) throws(TextFormatError.Reason) {
        areCumulative.removeAll(keepingCapacity: true)
        try reader.expect(UInt8(ascii: "["))
        while try reader.nextElement(isFirst: areCumulative.isEmpty, end: UInt8(ascii: "]")) {
            let type = try reader.string()
            areCumulative.append(type.equals("counter") || type.equals("derive"))
        }
    }

    private static func text(
        _ reader: inout JSONReader, _ series: inout SeriesText
    ) throws(TextFormatError.Reason) -> Range<Int> {
        let start = series.text.count
        if !reader.takeNull() { try reader.string().append(to: &series.text) }
        return start..<series.text.count
    }

    private mutating func name(
        _ plugin: Range<Int>, _ type: Range<Int>, _ series: inout SeriesText
    ) throws(TextFormatError.Reason) {
        let isNamedLikeType = series.text[plugin].elementsEqual(series.text[type])
        for (source, isCumulative) in zip(sourceNames, areCumulative) {
            let start = series.append("collectd_").lowerBound
            if !isNamedLikeType {
                series.text.append(contentsOf: series.text[plugin])
                series.text.append(UInt8(ascii: "_"))
            }
            series.text.append(contentsOf: series.text[type])
            if !series.text[source].elementsEqual("value".utf8) {
                series.text.append(UInt8(ascii: "_"))
                series.text.append(contentsOf: series.text[source])
            }
            if isCumulative { _ = series.append("_total") }
            let name = start..<series.text.count
            try series.check(metricName: name)
            metricNames.append(name)
        }
    }

    private func label(
        _ host: Range<Int>, _ plugin: Range<Int>, _ pluginInstance: Range<Int>, _ typeInstance: Range<Int>,
        _ series: inout SeriesText
    ) throws(TextFormatError.Reason) {
        try series.add(label: series.append("instance"), host)
        try series.add(label: plugin, pluginInstance)
        try series.add(label: pluginInstance.isEmpty ? plugin : series.append("type"), typeInstance)
        try series.seal()
    }
}
