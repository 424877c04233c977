import MetricModel
import Testing

@testable import MetricAgent

@Suite struct TickScheduleTests {
    private func at(_ milliseconds: Int64) -> (Timestamp, Duration) {
        (Timestamp(milliseconds: 1_767_225_600_000 + milliseconds), .milliseconds(milliseconds))
    }

    @Test func `ticks fall on whole multiples of the interval`() {
        var schedule = TickSchedule(interval: .seconds(10))
        let start = at(2500)
        #expect(schedule.next(now: start.0, uptime: start.1) == .init(delay: .milliseconds(7500), missed: 0))
        let second = at(10_030)
        #expect(schedule.next(now: second.0, uptime: second.1) == .init(delay: .milliseconds(9970), missed: 0))
    }

    @Test func `a tick that comes a little early is not served twice`() {
        var schedule = TickSchedule(interval: .seconds(1))
        _ = schedule.next(now: at(500).0, uptime: at(500).1)
        #expect(schedule.next(now: at(998).0, uptime: at(998).1) == .init(delay: .milliseconds(1002), missed: 0))
    }

    @Test func `ticks whose time has passed are left out and counted`() {
        var schedule = TickSchedule(interval: .seconds(1))
        _ = schedule.next(now: at(500).0, uptime: at(500).1)
        #expect(schedule.next(now: at(3600).0, uptime: at(3600).1) == .init(delay: .milliseconds(400), missed: 2))
        #expect(schedule.next(now: at(4001).0, uptime: at(4001).1).missed == 0)
    }

    @Test func `a wall clock that is set counts nothing as missed and delays nothing`() {
        var schedule = TickSchedule(interval: .seconds(1))
        _ = schedule.next(now: at(500).0, uptime: at(500).1)
        let hourAhead = schedule.next(now: at(3_601_010).0, uptime: at(1010).1)
        #expect(hourAhead == .init(delay: .milliseconds(990), missed: 0))
        let backAgain = schedule.next(now: at(2010).0, uptime: at(2010).1)
        #expect(backAgain == .init(delay: .milliseconds(990), missed: 0))
    }

    @Test(arguments: [
        (10_000, 10_000), (10_001, 10_000), (10_100, 10_000), (10_101, 10_101), (9_900, 10_000), (9_899, 9_899),
        (15_000, 15_000), (0, 0), (-40, 0),
    ])
    func `samples of a run that is a little late or early are dated as their tick`(now: Int64, dated: Int64) {
        let schedule = TickSchedule(interval: .seconds(10))
        #expect(schedule.date(at(now).0) == at(dated).0)
    }

    @Test func `what is collected every few milliseconds is dated as it comes`() {
        let schedule = TickSchedule(interval: .milliseconds(50))
        #expect(schedule.date(at(1001).0) == at(1001).0)
        #expect(schedule.date(Timestamp(milliseconds: -1049)) == Timestamp(milliseconds: -1049))
        let slow = TickSchedule(interval: .seconds(10))
        #expect(slow.date(Timestamp(milliseconds: -10_020)) == Timestamp(milliseconds: -10_000))
        for extreme in [Timestamp(milliseconds: .max), Timestamp(milliseconds: .min)] {
            #expect(slow.date(extreme) == extreme)
        }
    }

    @Test func `times before 1970 have ticks too`() {
        var schedule = TickSchedule(interval: .seconds(1))
        #expect(schedule.next(now: Timestamp(milliseconds: -300), uptime: .zero).delay == .milliseconds(300))
    }
}
