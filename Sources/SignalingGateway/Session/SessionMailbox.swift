import Locking
import NIOCore
import SocketIO

/// What other threads have for the sessions of one event loop.
///
/// Handed over together: a session takes in all that has collected for it before it writes, and the loop is woken once.
final class SessionMailbox: Sendable {
    /// One thing for one session.
    struct Letter: Sendable {
        let driver: NIOLoopBound<SessionDriver>
        let content: Content

        enum Content: Sendable {
            /// What happened; the session takes it in with what else there is for it.
            case input(SessionInput)
            /// The answer to an event that was begun; likewise.
            case answer(BegunEvent, SocketReply?)
            /// Something to be done to a session that has taken in all that came before.
            case work(@Sendable (SessionDriver) -> Void)
        }
    }

    private struct State {
        var letters: [Letter] = []
        var isScheduled = false
    }

    private let eventLoop: any EventLoop
    private let state = Locked(State())

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Hands something over, after what was posted before. Never at once, whichever thread this is.
    func post(_ letter: Letter) {
        let isFirst = state.withLock { state in
            state.letters.append(letter)
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if isFirst { eventLoop.execute { self.deliver() } }
    }

    private func deliver() {
        let letters = state.withLock { state in
            state.isScheduled = false
            defer { state.letters = [] }
            return state.letters
        }
        var recipients: [SessionDriver] = []
        func hold(_ driver: SessionDriver) {
            if driver.hold() { recipients.append(driver) }
        }
        for letter in letters {
            let driver = letter.driver.value
            switch letter.content {
            case .input(let input):
                hold(driver)
                driver.submit(input)
            case .answer(let event, let reply):
                hold(driver)
                driver.answered(event, reply)
            case .work(let body):
                driver.release()
                body(driver)
            }
        }
        for driver in recipients { driver.release() }
    }
}

/// The mailboxes of all event loops.
final class SessionMailboxes: Sendable {
    private let byLoop = Locked<[ObjectIdentifier: SessionMailbox]>([:])

    /// The one of an event loop; made when it is first asked for.
    func mailbox(of eventLoop: any EventLoop) -> SessionMailbox {
        byLoop.withLock { byLoop in
            let key = ObjectIdentifier(eventLoop)
            if let mailbox = byLoop[key] { return mailbox }
            let mailbox = SessionMailbox(eventLoop: eventLoop)
            byLoop[key] = mailbox
            return mailbox
        }
    }
}
