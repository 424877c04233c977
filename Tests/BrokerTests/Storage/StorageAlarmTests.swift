import NIOCore
import Testing

@testable import Broker

/// What the log is told while records cannot be stored.
@Suite struct StorageAlarmTests {
    private let start = NIODeadline.now()

    @Test func oneLineWhenItBeginsACountEveryMinuteAndOneWhenItIsOver() {
        var alarm = StorageAlarm()
        #expect(alarm.allIsWell(now: self.start) == nil)
        #expect(alarm.trouble(refusals: 1, now: self.start) == .began)
        for second in 1..<60 {
            #expect(alarm.trouble(refusals: 2, now: self.start + .seconds(Int64(second))) == nil)
        }
        #expect(alarm.trouble(refusals: 2, now: self.start + .seconds(60)) == .goesOn(refusals: 120))
        #expect(alarm.trouble(refusals: 1, now: self.start + .seconds(61)) == nil)
        #expect(alarm.trouble(refusals: 1, now: self.start + .seconds(120)) == .goesOn(refusals: 2))
        #expect(alarm.isOn)
        #expect(alarm.allIsWell(now: self.start + .seconds(121)) == .ended(refusals: 123, after: .seconds(121)))
        #expect(!alarm.isOn)
        #expect(alarm.trouble(refusals: 1, now: self.start + .seconds(122)) == .began)
    }

    @Test func aSuccessBetweenFailuresIsNotTheEnd() {
        var alarm = StorageAlarm()
        #expect(alarm.trouble(refusals: 1, now: self.start) == .began)
        #expect(alarm.allIsWell(quiet: .seconds(10), now: self.start + .seconds(9)) == nil)
        #expect(alarm.trouble(refusals: 1, now: self.start + .seconds(9)) == nil)
        #expect(alarm.allIsWell(quiet: .seconds(10), now: self.start + .seconds(18)) == nil)
        let end = alarm.allIsWell(quiet: .seconds(10), now: self.start + .seconds(19))
        #expect(end == .ended(refusals: 2, after: .seconds(19)))
    }

    @Test(arguments: [
        (64 << 20, 8 << 20), (100 << 20, 100 << 17), (1 << 30, 16 << 20), (20 << 30, 20 << 30 / 100),
        (1 << 40, 1 << 30), (0, 0),
    ])
    func theDefaultReserveFitsTheDisk(total: Int, reserve: Int) {
        #expect(DiskSpace.defaultReserve(ofTotal: total) == reserve)
    }
}
