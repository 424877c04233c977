/// The identity of a series: labels sorted by name (by UTF-8 bytes), each name once, the metric's name among
/// them as `__name__`.
///
/// A label with an empty value is the same as no label, as in Prometheus, so it is never stored.
public struct Labels: Hashable, Sendable {
    private let sorted: [Label]

    /// No labels at all.
    public init() {
        sorted = []
    }

    /// Labels in any order.
    public init(_ labels: some Sequence<Label>) throws(LabelsError) {
        var kept = labels.filter { !$0.value.isEmpty }
        kept.sort { $0.name.precedes($1.name) }
        for index in kept.indices {
            if kept[index].name.isEmpty { throw .emptyName(value: kept[index].value) }
            if index > 0, kept[index - 1].name.hasSameBytes(as: kept[index].name) {
                throw .duplicateName(kept[index].name)
            }
        }
        sorted = kept
    }

    /// A metric's name and further labels in any order.
    public init(metricName: String, _ labels: some Sequence<Label>) throws(LabelsError) {
        try self.init([Label(Label.metricName, metricName)] + Array(labels))
    }

    /// Labels that are known to be sorted, unique and without empty values.
    init(alreadySorted labels: [Label]) {
        sorted = labels
    }

    /// The value of `__name__`, empty when there is none.
    public var metricName: String { self[Label.metricName] ?? "" }

    /// The value of a label, nil when the series does not have it.
    public subscript(name: String) -> String? {
        // A handful of labels: a walk beats a search.
        for label in sorted where label.name.hasSameBytes(as: name) { return label.value }
        return nil
    }

    /// The same labels with one set to another value, or taken away when the value is empty.
    public func setting(_ name: String, to value: String) -> Labels {
        var labels = sorted.filter { !$0.name.hasSameBytes(as: name) }
        if !value.isEmpty {
            let place = labels.firstIndex { name.precedes($0.name) } ?? labels.endIndex
            labels.insert(Label(name, value), at: place)
        }
        return Labels(alreadySorted: labels)
    }

    /// The same labels but for these.
    public func removing(_ names: String...) -> Labels { removing(names) }

    /// The same labels but for these.
    public func removing(_ names: [String]) -> Labels {
        Labels(alreadySorted: sorted.filter { label in !names.contains { $0.hasSameBytes(as: label.name) } })
    }

    /// These labels alone.
    public func keeping(_ names: [String]) -> Labels {
        Labels(alreadySorted: sorted.filter { label in names.contains { $0.hasSameBytes(as: label.name) } })
    }
}

extension Labels: RandomAccessCollection {
    public var startIndex: Int { sorted.startIndex }
    public var endIndex: Int { sorted.endIndex }
    public subscript(position: Int) -> Label { sorted[position] }
}

extension Labels: Comparable {
    /// Label by label, names before values; of two that begin alike the shorter goes first.
    public static func < (left: Labels, right: Labels) -> Bool {
        for (one, other) in zip(left, right) {
            if !one.name.hasSameBytes(as: other.name) { return one.name.precedes(other.name) }
            if !one.value.hasSameBytes(as: other.value) { return one.value.precedes(other.value) }
        }
        return left.count < right.count
    }
}

extension Labels: ExpressibleByDictionaryLiteral {
    /// Labels written in source; a name that stands there twice is a bug.
    public init(dictionaryLiteral elements: (String, String)...) {
        let labels = elements.filter { !$0.1.isEmpty }.map { Label($0.0, $0.1) }
        let sorted = labels.sorted { $0.name.precedes($1.name) }
        for (one, next) in zip(sorted, sorted.dropFirst()) {
            precondition(!one.name.hasSameBytes(as: next.name), "label \(one.name) stands twice in one literal")
        }
        self.init(alreadySorted: sorted)
    }
}

extension Labels: CustomStringConvertible {
    /// The canonical text, `name{a="b",c="d"}`: labels sorted, `\`, `"` and line feeds escaped, names that need it
    /// quoted (`{"my.name","my.label"="x"}`). `Labels(parsing:)` reads it back.
    public var description: String {
        var writer = TextFormat.Writer()
        writer.append(series: self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// Why labels do not make a series.
public enum LabelsError: Error, Hashable, CustomStringConvertible {
    case duplicateName(String)
    case emptyName(value: String)

    public var description: String {
        switch self {
        case .duplicateName(let name): "label '\(name)' is given twice; a series has each label once"
        case .emptyName(let value): "the label with value '\(value)' has no name"
        }
    }
}
