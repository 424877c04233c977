import CommitLog
import RecordBatch
import Testing

@Suite struct GroupCommitTests {
    @Test func oneSyncServesAllThatWaited() {
        var commit = GroupCommit<String>()
        let isWorker1 = commit.wait(until: 3, "a")
        #expect(isWorker1)
        let isWorker2 = commit.wait(until: 5, "b")
        #expect(!isWorker2)
        commit.begin(5)
        let isWorker3 = commit.wait(until: 8, "c")
        #expect(!isWorker3)
        let isWorker4 = commit.wait(until: 5, "again")
        #expect(!isWorker4)
        let (released, again) = commit.finish(succeeded: true)
        #expect(released == ["a", "b", "again"])
        #expect(again)
        #expect(commit.waiterCount == 1)
        commit.begin(9)
        let (last, more) = commit.finish(succeeded: true)
        #expect(last == ["c"])
        #expect(!more)
        let isWorker5 = commit.wait(until: 10, "d")
        #expect(isWorker5)
    }

    @Test func aFailureReleasesEverybody() {
        var commit = GroupCommit<Int>()
        let isWorker6 = commit.wait(until: 1, 1)
        #expect(isWorker6)
        commit.begin(1)
        let isWorker7 = commit.wait(until: 2, 2)
        #expect(!isWorker7)
        let (released, again) = commit.finish(succeeded: false)
        #expect(released == [1, 2])
        #expect(!again)
        #expect(commit.waiterCount == 0)
    }

    @Test func finishingWhatNeverBeganReleasesNobody() {
        var commit = GroupCommit<Int>()
        let isWorker8 = commit.wait(until: 1, 1)
        #expect(isWorker8)
        let (released, _) = commit.finish(succeeded: true)
        #expect(released.isEmpty)
        #expect(commit.waiterCount == 1)
    }
}
