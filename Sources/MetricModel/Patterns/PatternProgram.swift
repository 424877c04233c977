/// A regular expression as a machine that is in several states at once (Thompson, "Regular Expression Search
/// Algorithm", 1968): the time to match grows with the value's length times the expression's, never faster, whatever a
/// person wrote.
struct PatternProgram: Sendable {
    private enum Step: Sendable {
        /// Reads one scalar of the set and goes on.
        case read(ScalarSet, next: Int)
        /// Goes both ways.
        case fork(Int, Int)
        case check(PatternAssertion, next: Int)
        case accept
    }

    /// Larger expressions are refused; nobody writes them by hand.
    private static let maximumSteps = 20_000

    private var steps: [Step] = [.accept]
    private var start = 0

    init(_ node: PatternNode) throws(PatternSyntaxError) {
        start = try compile(node, then: 0)
    }

    private mutating func add(_ step: Step) throws(PatternSyntaxError) -> Int {
        guard steps.count < Self.maximumSteps else { throw PatternSyntaxError(reason: "it is too large") }
        steps.append(step)
        return steps.count - 1
    }

    /// Makes the steps of a node that go on with `next`; returns the first.
    private mutating func compile(_ node: PatternNode, then next: Int) throws(PatternSyntaxError) -> Int {
        switch node {
        case .empty:
            return next
        case .scalar(let set):
            return try add(.read(set, next: next))
        case .assertion(let assertion):
            return try add(.check(assertion, next: next))
        case .sequence(let parts):
            var next = next
            for part in parts.reversed() { next = try compile(part, then: next) }
            return next
        case .alternatives(let parts):
            var first: Int?
            for part in parts.reversed() {
                let way = try compile(part, then: next)
                first = try first.map { other throws(PatternSyntaxError) in try add(.fork(way, other)) } ?? way
            }
            return first ?? next
        case .repetition(let part, let minimum, let maximum):
            return try compile(part, minimum: minimum, maximum: maximum, then: next)
        }
    }

    private mutating func compile(
        _ part: PatternNode, minimum: Int, maximum: Int?, then next: Int
    ) throws(PatternSyntaxError) -> Int {
        var first = next
        if let maximum {
            for _ in minimum..<max(minimum, maximum) {
                first = try add(.fork(try compile(part, then: first), next))
            }
        } else {
            let loop = try add(.fork(next, next))
            steps[loop] = .fork(try compile(part, then: loop), next)
            first = loop
        }
        for _ in 0..<minimum { first = try compile(part, then: first) }
        return first
    }

    /// Whether the whole value matches.
    func matches(_ value: String) -> Bool {
        let size = steps.count
        return withUnsafeTemporaryAllocation(of: Int.self, capacity: 5 * size + 1) { room in
            room.initialize(repeating: 0)
            func part(_ index: Int) -> UnsafeMutableBufferPointer<Int> {
                UnsafeMutableBufferPointer(rebasing: room[(index * size)..<(index * size + size)])
            }
            var now = StateSet(part(0), part(1))
            var next = StateSet(part(2), part(3))
            let pending = UnsafeMutableBufferPointer(rebasing: room[(4 * size)...])
            var before: Unicode.Scalar?
            var scalars = value.unicodeScalars.makeIterator()
            var scalar = scalars.next()
            insert(start, into: &now, pending, before, scalar)
            while let current = scalar {
                if now.count == 0 { return false }
                scalar = scalars.next()
                next.removeAll()
                for index in 0..<now.count {
                    if case .read(let set, let following) = steps[now[index]], set.contains(current) {
                        insert(following, into: &next, pending, current, scalar)
                    }
                }
                swap(&now, &next)
                before = current
            }
            return now.contains(0)
        }
    }

    /// Adds a state with all that can be reached from it without reading.
    private func insert(
        _ state: Int, into states: inout StateSet, _ pending: UnsafeMutableBufferPointer<Int>,
        _ before: Unicode.Scalar?, _ after: Unicode.Scalar?
    ) {
        // Each state that is inserted takes one from the pending and adds two at most, so one more than there are states
        // is room enough.
        var count = 1
        pending[0] = state
        while count > 0 {
            count -= 1
            let state = pending[count]
            guard states.insert(state) else { continue }
            switch steps[state] {
            case .fork(let one, let other):
                pending[count] = other
                pending[count + 1] = one
                count += 2
            case .check(let assertion, let next) where assertion.holds(between: before, and: after):
                pending[count] = next
                count += 1
            case .check, .read, .accept:
                break
            }
        }
    }

    /// A set of states that is emptied without being cleared (Briggs and Torczon, "An Efficient Representation for Sparse
    /// Sets", 1993): `members` lists them, and a state is one of them if its place in `members` says so. Lives within
    /// `matches`.
    private struct StateSet {
        private let members: UnsafeMutableBufferPointer<Int>
        private let places: UnsafeMutableBufferPointer<Int>
        private(set) var count = 0

        init(_ members: UnsafeMutableBufferPointer<Int>, _ places: UnsafeMutableBufferPointer<Int>) {
            self.members = members
            self.places = places
        }

        subscript(index: Int) -> Int { members[index] }

        func contains(_ state: Int) -> Bool {
            let place = places[state]
            return place < count && members[place] == state
        }

        mutating func insert(_ state: Int) -> Bool {
            guard !contains(state) else { return false }
            members[count] = state
            places[state] = count
            count += 1
            return true
        }

        mutating func removeAll() { count = 0 }
    }
}
