public import CallModel
public import CallStore
import Synchronization

/// Sends events to rooms in the names of users.
public protocol RoomEventSender: Sendable {
    /// The device whose token the event may be sent with now, empty for a token of none; `nil` if there is none that fits.
    func device(for waiting: WaitingRoomEvent) -> DeviceID?
    /// Sends one; may be cancelled.
    func send(_ event: StoredRoomEvent, device: DeviceID) async -> RoomEventAnswer
}

/// What a homeserver said to an event.
public enum RoomEventAnswer: Hashable, Sendable {
    /// It is in the room, under this id, or was before.
    case sent(eventID: String)
    /// It will never be taken, for a reason in one word.
    case refused(reason: String)
    /// It was not taken, and may be later: after so many milliseconds, if it was said. The reason is for the log.
    case later(milliseconds: Int64?, reason: String)
    /// Nobody knows whether it was taken. The reason is for the log.
    case unknown(reason: String)
    /// The token is not good any more; another of the same device may be, unless the device is signed out for good.
    case tokenRejected(isSignedOut: Bool)
    /// The sender's client says it, or nobody does.
    case leftToClient
}

/// Works off what the store has for rooms, each event until it is there, refused, or too old. Any number of nodes may do so side by
/// side: an event is sent by whichever has a token of its sender.
public final class RoomOutbox: Sendable {
    /// Events that are under way at the same time.
    static let concurrency = 32
    /// Waiting events that are looked through at a time for those that can be sent here.
    static let looks = 4_096
    /// Events that are given up at a time.
    static let givingUp = 256
    /// Milliseconds for which a claimed event is nobody else's; more than a homeserver is given to answer.
    public static let claimTime: Int64 = 15_000
    /// The same for entering one into the audit.
    static let auditTime: Int64 = 3_000
    /// Milliseconds between tries: the first pause, twice as long each time, and the longest.
    static let pauses: ClosedRange<Int64> = 1_000...60_000

    private let store: any RoomEventStore
    private let sender: any RoomEventSender
    private let clock: @Sendable () -> Timestamp
    private let log: @Sendable (RoomOutboxReport) -> Void
    private let bell = Bell()
    private let underway = Atomic(0)

    /// An outbox of the store's events for rooms.
    public init(
        store: any RoomEventStore,
        sender: any RoomEventSender,
        clock: @escaping @Sendable () -> Timestamp,
        log: @escaping @Sendable (RoomOutboxReport) -> Void
    ) {
        self.store = store
        self.sender = sender
        self.clock = clock
        self.log = log
    }

    /// There may be something new, or somebody new to send it for.
    public func ring() { bell.ring() }

    /// Works until cancelled; looks at least every `interval` for what is due again. `onUndeliverable` hears of what was given up, and
    /// again until it answers that it has taken note.
    public func run(
        every interval: Duration = .seconds(1),
        onUndeliverable: @escaping @Sendable (UndeliverableRoomEvent) async -> Bool
    ) async {
        await withDiscardingTaskGroup { group in
            group.addTask { [bell] in await bell.ring(every: interval) }
            for await _ in bell.rings where !Task.isCancelled {
                for given in await givenUp() where await onUndeliverable(given) { await settleAudit(of: given) }
                for waiting in await due() {
                    guard underway.load(ordering: .relaxed) < Self.concurrency else { break }
                    guard let device = sender.device(for: waiting), let event = await claim(waiting, device) else {
                        continue
                    }
                    underway.add(1, ordering: .relaxed)
                    group.addTask {
                        await self.send(event, device)
                        self.underway.subtract(1, ordering: .relaxed)
                        // There may be another one behind it, and there is room for any.
                        self.ring()
                    }
                }
            }
        }
    }

    private func givenUp() async -> [UndeliverableRoomEvent] {
        let now = clock()
        do throws(StoreFailure) {
            try await store.giveUpRoomEvents(at: now, limit: Self.givingUp)
            let until = now.advanced(byMilliseconds: Self.auditTime)
            return try await store.claimUnaudited(at: now, until: until, limit: Self.givingUp)
        } catch {
            log(.storeFailed(error))
            return []
        }
    }

    private func settleAudit(of event: UndeliverableRoomEvent) async {
        do throws(StoreFailure) {
            try await store.settleAudit(of: event.place)
        } catch {
            log(.storeFailed(error))
        }
    }

    private func due() async -> [WaitingRoomEvent] {
        do throws(StoreFailure) {
            return try await store.dueRoomEvents(at: clock(), limit: Self.looks)
        } catch {
            log(.storeFailed(error))
            return []
        }
    }

    private func claim(_ waiting: WaitingRoomEvent, _ device: DeviceID) async -> StoredRoomEvent? {
        let now = clock()
        do throws(StoreFailure) {
            let until = now.advanced(byMilliseconds: Self.claimTime)
            return try await store.claim(waiting, device: device, at: now, until: until)
        } catch {
            log(.storeFailed(error))
            return nil
        }
    }

    private func send(_ event: StoredRoomEvent, _ device: DeviceID) async {
        // What is late is given up by the next look, when its claim has run out.
        guard clock() < event.event.expiresAt else { return }
        let answer = await sender.send(event, device: device)
        let now = clock()
        let outcome: RoomEventOutcome
        switch answer {
        case .sent(let eventID):
            outcome = .sent(eventID: eventID)
            log(.sent(event))
        case .refused(let reason): outcome = .undeliverable(reason: reason)
        case .leftToClient: outcome = .leftToClient
        case .tokenRejected(isSignedOut: true) where event.isRepetition:
            // The homeserver may have forgotten with the device what it was told by it.
            outcome = .undeliverable(reason: UndeliverableRoomEvent.unconfirmed)
        case .tokenRejected: outcome = .postponed(until: now, byAnyDevice: !event.isRepetition)
        case .later(let milliseconds, let reason):
            let until = next(after: event, now, milliseconds)
            outcome = .postponed(until: until, byAnyDevice: !event.isRepetition)
            log(.postponed(event, reason: reason))
        case .unknown(let reason):
            outcome = .postponed(until: next(after: event, now), byAnyDevice: false)
            log(.postponed(event, reason: reason))
        }
        do throws(StoreFailure) {
            try await store.settle(event, outcome)
        } catch {
            // The claim runs out, and it is sent again, which changes nothing.
            log(.storeFailed(error))
        }
    }
}

extension RoomOutbox {
    /// When to try again. What will be late by then is given up then.
    private func next(after event: StoredRoomEvent, _ now: Timestamp, _ milliseconds: Int64? = nil) -> Timestamp {
        let pause = max(Self.pauses.doubled(after: event.attempts), milliseconds ?? 0)
        return min(now.advanced(byMilliseconds: pause), event.event.expiresAt)
    }
}

/// What the operator should know of the outbox for rooms.
public enum RoomOutboxReport: Sendable {
    /// The store failed.
    case storeFailed(StoreFailure)
    /// An event is in its room.
    case sent(StoredRoomEvent)
    /// An event was not taken, and will be sent again.
    case postponed(StoredRoomEvent, reason: String)
}
