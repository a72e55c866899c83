import CallModel
import CallService
import CallStore
import Matrix
import Observability

/// What happened since the server began, for the metrics.
final class ServerTallies: Sendable {
    /// How a call ended.
    struct Ending: Hashable {
        let reason: EndReason
        /// Nobody ended it: it rang out, or those in it did not come back.
        let isByTime: Bool
    }

    /// What became of an event for a room.
    enum RoomEventFate: String, CaseIterable { case sent, postponed, undeliverable }

    /// A question to a homeserver.
    struct HomeserverRequest: Hashable {
        let operation: String
        let isAnswered: Bool
    }

    /// What became of a try to hand a notice over.
    enum Handover: String, CaseIterable {
        case taken, refused
        case givenUp = "given_up"
    }

    /// Those that are possible are there from the beginning.
    let endings = Tally(
        EndReason.allCases.filter { $0 != .missed }.map { Ending(reason: $0, isByTime: false) }
            + [EndReason.missed, .left, .failed].map { Ending(reason: $0, isByTime: true) }
    )
    /// By the statement's name.
    let storeFailures = Tally<String>()
    /// Questions to homeservers, by what was asked and whether that was answered.
    let homeserverRequests = Tally<HomeserverRequest>()
    let roomEvents = Tally<RoomEventFate>(RoomEventFate.allCases)
    let handovers = Tally<Handover>(Handover.allCases)

    /// Counts what the service reports.
    func count(_ report: CallServiceReport) {
        switch report {
        case .callEnded(_, let reason, let isByTime): endings.count(Ending(reason: reason, isByTime: isByTime))
        case .storeFailed(let operation, _): storeFailures.count(operation)
        case .roomEventUndelivered: roomEvents.count(.undeliverable)
        case .storeRecovered, .actRefused, .memberExpelled: break
        }
    }

    /// Counts what the outbox for rooms reports.
    func count(_ report: RoomOutboxReport) {
        switch report {
        case .storeFailed(.unavailable(let operation, reason: _)): storeFailures.count(operation)
        case .storeFailed(.corrupt(let operation)): storeFailures.count(operation)
        case .sent: roomEvents.count(.sent)
        case .postponed: roomEvents.count(.postponed)
        }
    }

    /// Counts questions to homeservers.
    func count(_ report: HomeserverReport) {
        switch report {
        case .answered(let operation):
            homeserverRequests.count(HomeserverRequest(operation: operation, isAnswered: true))
        case .failed(let operation, _):
            homeserverRequests.count(HomeserverRequest(operation: operation, isAnswered: false))
        case .foreignName: break
        }
    }

    /// Counts what the outbox reports.
    func count(_ report: OutboxReport) {
        switch report {
        case .storeFailed(.unavailable(let operation, reason: _)): storeFailures.count(operation)
        case .storeFailed(.corrupt(let operation)): storeFailures.count(operation)
        case .taken: handovers.count(.taken)
        case .refused(_, _, isGivenUp: true): handovers.count(.givenUp)
        case .refused(_, _, isGivenUp: false): handovers.count(.refused)
        }
    }
}
