import KafkaProtocol

/// One division of partitions among members that keeps what it can where it is. A value of one rebalance.
///
/// The shares are as even as the members' subscriptions allow: no partition, nor a chain of partitions each of which
/// moves on to the next member, can move from a member to one that has at least two fewer. (That is what makes a
/// semi-matching optimal: Harvey, Ladner, Lovász, Tamir, "Semi-matchings for bipartite graphs and load balancing".)
struct StickySharing {
    private let members: [AssignableMember]
    private let topics: [TopicName: [PartitionIndex]]
    /// Members, by their places in `members`, that want a topic.
    private let interested: [TopicName: [Int]]
    /// What each member has, by topic.
    private var shares: [[TopicName: Set<PartitionIndex>]]
    private var counts: [Int]
    /// Whose claim to a partition counts, by place in `members`.
    private let owners: [TopicPartition: Int]
    /// Everybody who claims it.
    private let claimants: [TopicPartition: [Int]]

    init(_ members: [AssignableMember], _ topics: [TopicName: [PartitionIndex]]) {
        let members = members.sorted(by: AssignableMember.isBefore)
        self.members = members
        self.topics = topics
        var interested: [TopicName: [Int]] = [:]
        for (place, member) in members.enumerated() {
            for topic in member.topics where topics[topic] != nil { interested[topic, default: []].append(place) }
        }
        self.interested = interested
        shares = Array(repeating: [:], count: members.count)
        counts = Array(repeating: 0, count: members.count)

        var claimants: [TopicPartition: [Int]] = [:]
        for (place, member) in members.enumerated() {
            for partition in Set(member.owned) { claimants[partition, default: []].append(place) }
        }
        self.claimants = claimants
        // Of several the one with the latest generation has it; of the same generation nobody, as one of them is wrong.
        owners = claimants.compactMapValues { places in
            let latest = places.map { members[$0].generation }.max() ?? -1
            let winners = places.filter { members[$0].generation == latest }
            return winners.count == 1 ? winners[0] : nil
        }
        let existing = topics.mapValues(Set.init)
        for (partition, place) in owners
        where existing[partition.topic]?.contains(partition.partition) == true
            && members[place].topics.contains(partition.topic)
        {
            add(partition, to: place)
        }
    }

    private mutating func add(_ partition: TopicPartition, to place: Int) {
        shares[place][partition.topic, default: []].insert(partition.partition)
        counts[place] += 1
    }

    private mutating func take(_ partition: TopicPartition, from place: Int) {
        shares[place][partition.topic]?.remove(partition.partition)
        counts[place] -= 1
    }

    /// Gives what nobody has to whoever has least: first what few want.
    mutating func dealOut() {
        let order = topics.keys.filter { interested[$0] != nil }
            .sorted { ((interested[$0]?.count ?? 0), $0) < ((interested[$1]?.count ?? 0), $1) }
        for topic in order {
            guard let places = interested[topic] else { continue }
            let taken = places.reduce(into: Set<PartitionIndex>()) { $0.formUnion(shares[$1][topic] ?? []) }
            for index in (topics[topic] ?? []).sorted() where !taken.contains(index) {
                guard let least = places.min(by: { (counts[$0], $0) < (counts[$1], $1) }) else { continue }
                add(TopicPartition(topic: topic, partition: index), to: least)
            }
        }
    }

    /// Moves partitions until the shares are as even as can be.
    mutating func even() {
        var hasMoved = true
        while hasMoved {
            hasMoved = false
            // Those who have most first.
            for place in members.indices.sorted(by: { (counts[$0], $1) > (counts[$1], $0) }) {
                while let path = path(from: place) {
                    move(along: path)
                    hasMoved = true
                }
            }
        }
    }

    /// The shortest chain of members from one to another that has at least two fewer, such that each has a partition
    /// that the next wants; nil if there is none.
    private func path(from start: Int) -> [Int]? {
        var cameFrom: [Int: Int] = [start: start]
        var frontier = [start]
        var seen: Set<TopicName> = []
        while !frontier.isEmpty {
            var reached: [Int] = []
            for place in frontier {
                for topic in shares[place].keys.sorted() where shares[place][topic]?.isEmpty == false {
                    guard seen.insert(topic).inserted else { continue }
                    for next in interested[topic] ?? [] where cameFrom[next] == nil {
                        cameFrom[next] = place
                        reached.append(next)
                    }
                }
            }
            if let goal = reached.min(by: { (counts[$0], $0) < (counts[$1], $1) }), counts[goal] + 2 <= counts[start] {
                var path = [goal]
                while let last = path.last, last != start, let previous = cameFrom[last] { path.append(previous) }
                return path.reversed()
            }
            frontier = reached
        }
        return nil
    }

    private mutating func move(along path: [Int]) {
        for (place, next) in zip(path, path.dropFirst()) {
            let movable = shares[place].filter { topic, indexes in
                !indexes.isEmpty && members[next].topics.contains(topic)
            }
            let candidates = movable.flatMap { topic, indexes in
                indexes.map { TopicPartition(topic: topic, partition: $0) }
            }
            // What goes back to its owner, then what is new here, then the last.
            let best = candidates.max { one, other in
                (rank(one, place, next), one) < (rank(other, place, next), other)
            }
            guard let best else { return }
            take(best, from: place)
            add(best, to: next)
        }
    }

    private func rank(_ partition: TopicPartition, _ place: Int, _ next: Int) -> Int {
        switch owners[partition] {
        case next: 2
        case place: 0
        default: 1
        }
    }

    /// The shares, without partitions that somebody else still has: these are given away once they are given up.
    func withheld() -> Assignments {
        var assignments: Assignments = [:]
        for (place, member) in members.enumerated() {
            let share = shares[place].flatMap { topic, indexes in
                indexes.map { TopicPartition(topic: topic, partition: $0) }
            }
            assignments[member.id] = share.filter { partition in
                owners[partition] == place || claimants[partition] == nil
            }.sorted()
        }
        return assignments
    }
}
