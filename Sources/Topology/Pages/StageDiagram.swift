/// A stage drawn from its declaration as SVG: publishers to the left, brokers in the middle, subscribers to the right, a
/// line for each link. What only a mirror feeds is drawn dashed. Colors are the page's, by class.
public struct StageDiagram: Sendable {
    private let stage: Stage
    private let boxes: [String: Box]
    private let size: (width: Int, height: Int)

    /// Where a part stands.
    private struct Box: Hashable {
        var x: Int
        var y: Int
        var role: StageRole
        /// Processes of this name.
        var count: Int
        var isLater: Bool

        var middle: Int { y + StageDiagram.boxHeight / 2 }
    }

    private static let boxWidth = 148
    private static let boxHeight = 34
    private static let rowHeight = 46
    private static let gap = 72
    private static let margin = 10
    /// What fits into a box.
    private static let longestName = 16

    public init(_ stage: Stage) {
        self.stage = stage
        let hasBrokers = !stage.brokers.isEmpty
        let columns = [
            stage.publishers.map { ($0.name, $0.processes) }, stage.brokers.map { ($0.name, 1) },
            stage.subscribers.map { ($0.name, $0.processes) },
        ]
        let rows = columns.map(\.count).max() ?? 1
        let height = rows * Self.rowHeight - (Self.rowHeight - Self.boxHeight) + 2 * Self.margin
        let running = stage.running
        var boxes: [String: Box] = [:]
        for (column, parts) in columns.enumerated() {
            let place = hasBrokers ? column : (column == 0 ? 0 : 1)
            let step = Self.boxWidth + (hasBrokers ? Self.gap : Self.gap * 2)
            // A column's parts are spread over the height, so that lines meet at the middle.
            let spread = Double(height - 2 * Self.margin) / Double(max(1, parts.count))
            for (index, part) in parts.enumerated() {
                let middle = Double(Self.margin) + spread * (Double(index) + 0.5)
                let isLater =
                    switch column {
                    case 1: !running.isBroker(part.0)
                    case 2: !running.isSubscriber(part.0)
                    default: false
                    }
                boxes[part.0] = Box(
                    x: Self.margin + place * step, y: Int(middle) - Self.boxHeight / 2,
                    role: [StageRole.publisher, .broker, .subscriber][column], count: part.1, isLater: isLater)
            }
        }
        self.boxes = boxes
        size = ((boxes.values.map(\.x).max() ?? 0) + Self.boxWidth + Self.margin + 6, height)
    }

    /// The element, to stand in a page.
    public var svg: String {
        let shape = StageShape(stage.running)
        let label = Escaping.html(
            "\(stage.title): \(shape.publishers) publishers, \(shape.brokers) brokers, \(shape.subscribers) subscribers, "
                + "\(shape.connections) connections")
        var lines = [
            #"<svg class="diagram" viewBox="0 0 \#(size.width) \#(size.height)" role="img" aria-label="\#(label)">"#
        ]
        lines += stage.links.compactMap { line($0, mirror: false) }
        lines += stage.mirrors.compactMap { line($0, mirror: true) }
        for part in stage.publishers.map(\.name) + stage.brokers.map(\.name) + stage.subscribers.map(\.name) {
            if let box = boxes[part] { lines.append(draw(part, box)) }
        }
        lines.append("</svg>")
        return lines.joined(separator: "\n")
    }

    private func line(_ link: Stage.Link, mirror: Bool) -> String? {
        guard let from = boxes[link.from], let to = boxes[link.to] else { return nil }
        let isLater = from.isLater || to.isLater
        if mirror {
            // Both stand in one column: from the lower edge of one to the upper edge of the other.
            let down = from.y < to.y
            let x = from.x + Self.boxWidth / 2
            let start = down ? from.y + Self.boxHeight : from.y
            let end = down ? to.y : to.y + Self.boxHeight
            return #"<path class="link later" d="M\#(x) \#(start)V\#(end)"/>"#
                + #"<text class="note" x="\#(x + 8)" y="\#((start + end) / 2 + 4)">mirror</text>"#
        }
        let (x1, x2) = (from.x + Self.boxWidth, to.x)
        let bend = (x2 - x1) / 2
        let kind = stage.isPublisher(link.from) && stage.isSubscriber(link.to) ? "direct" : "brokered"
        return #"<path class="link \#(isLater ? "later" : kind)" "#
            + #"d="M\#(x1) \#(from.middle)C\#(x1 + bend) \#(from.middle) \#(x2 - bend) \#(to.middle) \#(x2) \#(to.middle)"/>"#
    }

    private func draw(_ name: String, _ box: Box) -> String {
        let later = box.isLater ? " later" : ""
        func rectangle(_ offset: Int) -> String {
            #"<rect x="\#(box.x + offset)" y="\#(box.y - offset)" width="\#(Self.boxWidth)" height="\#(Self.boxHeight)" rx="7"/>"#
        }
        let stacked = box.count > 1 ? rectangle(5) : ""
        let count = box.count > 1 ? " ×\(box.count)" : ""
        let room = Self.longestName - count.count
        let shown = name.count <= room ? name : name.prefix(room - 1) + "…"
        return #"<g class="part \#(box.role.rawValue)\#(later)">\#(stacked)\#(rectangle(0))"#
            + #"<text x="\#(box.x + Self.boxWidth / 2)" y="\#(box.middle + 4)">\#(Escaping.html(shown + count))</text>"#
            + "<title>\(Escaping.html(name + count))</title></g>"
    }
}

/// Text made harmless in the languages of a page.
enum Escaping {
    static func html(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }

    /// JSON that may stand in a `<script>` element: nothing in it ends the element.
    static func script(_ json: String) -> String {
        json.split(separator: "</", omittingEmptySubsequences: false).joined(separator: "<\\/")
    }
}
