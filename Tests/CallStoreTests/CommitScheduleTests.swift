import Testing

@testable import CallStore

@Suite("When transactions begin")
struct CommitScheduleTests {
    private let start = ContinuousClock.now

    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }

    /// One whose transaction began at `start` and has ended.
    private func afterOne() -> CommitSchedule {
        var schedule = CommitSchedule()
        #expect(schedule.added(waiting: 1, isUrgent: false, now: start) == .begin)
        #expect(schedule.ended(waiting: 0, isUrgent: false, now: at(1)) == .nothing)
        return schedule
    }

    @Test("After a rest the first write begins one at once, patient or not", arguments: [false, true])
    func first(isUrgent: Bool) {
        var schedule = afterOne()
        #expect(schedule.added(waiting: 1, isUrgent: isUrgent, now: at(20)) == .begin)
    }

    @Test("A patient write waits for company, an urgent one for a moment only")
    func intervals() {
        var patient = afterOne()
        #expect(patient.added(waiting: 1, isUrgent: false, now: at(2)) == .wait(.milliseconds(18), ticket: 1))
        #expect(patient.added(waiting: 2, isUrgent: false, now: at(3)) == .nothing)
        #expect(patient.timeIsUp(ticket: 1, now: at(20)) == .begin)
        var urgent = afterOne()
        #expect(urgent.added(waiting: 1, isUrgent: true, now: at(2)) == .wait(.milliseconds(2), ticket: 1))
        #expect(urgent.timeIsUp(ticket: 1, now: at(4)) == .begin)
    }

    @Test("An urgent write takes those along that had time, and begins once")
    func hurry() {
        var schedule = afterOne()
        #expect(schedule.added(waiting: 1, isUrgent: false, now: at(1)) == .wait(.milliseconds(19), ticket: 1))
        #expect(schedule.added(waiting: 2, isUrgent: true, now: at(2)) == .wait(.milliseconds(2), ticket: 2))
        #expect(schedule.added(waiting: 3, isUrgent: true, now: at(3)) == .nothing)
        #expect(schedule.timeIsUp(ticket: 2, now: at(4)) == .begin)
        #expect(schedule.timeIsUp(ticket: 1, now: at(20)) == .nothing)
        #expect(schedule.ended(waiting: 0, isUrgent: false, now: at(21)) == .nothing)
        #expect(schedule.timeIsUp(ticket: 2, now: at(22)) == .nothing)
    }

    @Test("An urgent write begins one at once if the moment is over already")
    func late() {
        var schedule = afterOne()
        _ = schedule.added(waiting: 1, isUrgent: false, now: at(1))
        #expect(schedule.added(waiting: 2, isUrgent: true, now: at(9)) == .begin)
        #expect(schedule.timeIsUp(ticket: 1, now: at(20)) == .nothing)
    }

    @Test("A crowd of patient writes has company enough")
    func crowd() {
        var schedule = afterOne()
        _ = schedule.added(waiting: 1, isUrgent: false, now: at(5))
        #expect(schedule.added(waiting: CommitSchedule.crowd - 1, isUrgent: false, now: at(6)) == .nothing)
        #expect(schedule.added(waiting: CommitSchedule.crowd, isUrgent: false, now: at(7)) == .begin)
    }

    @Test("What came during a transaction gets the next one, in time")
    func during() {
        var schedule = afterOne()
        #expect(schedule.added(waiting: 1, isUrgent: true, now: at(30)) == .begin)
        #expect(schedule.added(waiting: 1, isUrgent: true, now: at(31)) == .nothing)
        #expect(schedule.ended(waiting: 1, isUrgent: true, now: at(33)) == .wait(.milliseconds(1), ticket: 1))
        #expect(schedule.timeIsUp(ticket: 1, now: at(34)) == .begin)
        #expect(schedule.ended(waiting: 3, isUrgent: false, now: at(60)) == .begin)
    }
}
