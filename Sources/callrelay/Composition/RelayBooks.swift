import CallModel
import CallService
import Logging
import RelayRuntime
import TURNRelay

/// The accountant's state: what the relay told, on its way to the store.
///
/// Bytes are counted in the ledger and written at each tick. What the store fails at meanwhile waits in a backlog and is
/// tried again at each tick.
struct RelayBooks {
    let calls: CallService
    var owners: RelayOwners
    let logger: Logger
    var ledger = RelayLedger()
    private(set) var backlog: RelayBacklog

    private let isLate: @Sendable () -> Bool
    private var isHurried = false
    /// The store failed when there was no more time to wait for it.
    private var isStoreGone = false
    /// What had no room in the backlog, since it was logged last.
    private var givenUp = 0
    /// Entries that the audit lacks because there was no more time.
    private(set) var untold = 0

    /// With `isLate` true there is no more time: what comes is still counted, but the audit is left alone.
    init(
        calls: CallService,
        owners: RelayOwners,
        logger: Logger,
        backlog: RelayBacklog = RelayBacklog(),
        isLate: @escaping @Sendable () -> Bool = { false }
    ) {
        self.calls = calls
        self.owners = owners
        self.logger = logger
        self.backlog = backlog
        self.isLate = isLate
    }

    /// Takes what the relay told.
    mutating func enter(_ notice: RelayNotice) async {
        if isLate() { await hurry() }
        switch notice {
        case .allocationOpened(let allocation, let username, _, _, _):
            await begin(RelayDeed(allocation: allocation, step: .open(username: username)))
        case .allocationTraffic(let allocation, let traffic):
            ledger.relayed(traffic, by: allocation)
        case .allocationClosed(let allocation, let username, let cause, let traffic):
            // Counted at once if its beginning was heard of: the store may fail just now, or have lost the call.
            guard let owner = ledger.owner(of: allocation) else {
                return await begin(RelayDeed(allocation: allocation, step: .close(username: username, cause, traffic)))
            }
            guard let step = close(allocation, by: owner, cause, traffic) else { return }
            await begin(RelayDeed(allocation: allocation, step: step))
        }
    }

    /// Tries again what the store failed at, and writes bytes down. `lost`: notices that did not get here.
    mutating func tick(lost: UInt64) async {
        report(lost: lost)
        if isLate() { return await hurry() }
        // One is enough: with the store gone, each further try may take as long as a time-out.
        await retry(failures: 1)
        await write()
    }

    /// Writes the last of it: nothing more will come.
    mutating func close(lost: UInt64) async {
        report(lost: lost)
        await retry(failures: backlog.count)
        await hurry()
        await write()
        if untold > 0 {
            logger.warning("the audit lacks relay use: the server had to stop", metadata: ["count": "\(untold)"])
        }
        if ledger.unwrittenCount > 0 {
            let count = "\(ledger.unwrittenCount)"
            logger.warning("relayed bytes were not written: the store failed", metadata: ["participants": "\(count)"])
        }
    }

    /// From here on nothing waits for the store.
    private mutating func hurry() async {
        guard !isHurried else { return }
        isHurried = true
        for deed in backlog.takeAll() { await begin(deed) }
    }

    /// Does what waits until the store has failed so many times.
    private mutating func retry(failures: Int) async {
        var left = failures
        while left > 0, !isLate(), let deed = backlog.first {
            if let rest = await perform(deed) {
                backlog.postpone(rest)
                left -= 1
            } else {
                backlog.removeFirst()
            }
        }
    }

    private mutating func begin(_ deed: RelayDeed) async {
        let rest = backlog.holds(deed.place) ? deed : await perform(deed)
        guard let rest else { return }
        if isHurried {
            if rest.isForAudit { untold += 1 }
        } else if !backlog.add(rest) {
            givenUp += 1
            leaveOut(rest)
        }
    }

    /// Does it step by step; answers what is left of it because the store failed or there is no time.
    private mutating func perform(_ deed: RelayDeed) async -> RelayDeed? {
        var rest = deed
        while mayTry(rest) {
            do throws(CallFailure) {
                guard let next = try await perform(rest.step, for: rest.allocation) else { return nil }
                rest.step = next
            } catch .storeUnavailable {
                isStoreGone = isHurried
                return rest
            } catch {
                logger.warning("relay use was not written to the audit", metadata: ["code": "\(error.code)"])
                leaveOut(rest)
                return nil
            }
        }
        return rest
    }

    private func mayTry(_ deed: RelayDeed) -> Bool {
        guard isHurried else { return true }
        switch deed.step {
        case .tellOpened, .tellClosed: return false
        case .open(let username), .close(let username, _, _): return !isStoreGone || owners.know(username)
        }
    }

    /// Does one step; answers the one that follows from it.
    private mutating func perform(
        _ step: RelayDeed.Step,
        for allocation: RelayAllocation
    ) async throws(CallFailure) -> RelayDeed.Step? {
        switch step {
        case .open(let username):
            guard let owner = try await owners.owner(of: username, in: calls) else { return nil }
            let isAudited = owners.mayAudit(owner)
            ledger.opened(allocation, by: owner, isAudited: isAudited)
            return .tellOpened(owner, isAudited: isAudited)
        case .tellOpened(let owner, let isAudited):
            try await calls.relayAllocated(owner.call, by: owner.user, isAudited: isAudited)
            return nil
        case .close(let username, let cause, let traffic):
            var owner = ledger.owner(of: allocation)
            if owner == nil { owner = try await owners.owner(of: username, in: calls) }
            guard let owner else { return nil }
            return close(allocation, by: owner, cause, traffic)
        case .tellClosed(let owner, let end, let use):
            // The bytes first: who reads of the end finds them counted.
            await write()
            try await calls.relayReleased(owner.call, by: owner.user, end, use: use)
            return nil
        }
    }

    private mutating func close(
        _ allocation: RelayAllocation,
        by owner: RelayLedger.Owner,
        _ cause: CloseCause,
        _ traffic: RelayTraffic
    ) -> RelayDeed.Step? {
        let isAudited = ledger.closed(allocation, by: owner, traffic)
        return isAudited ? .tellClosed(owner, RelayEnd(cause), RelayUse(traffic)) : nil
    }

    /// The audit does not tell of an end whose beginning it lacks.
    private mutating func leaveOut(_ deed: RelayDeed) {
        if case .tellOpened = deed.step { ledger.leaveOutOfAudit(deed.allocation) }
    }

    private mutating func report(lost: UInt64) {
        if lost > 0 {
            logger.warning("notices of relay use were lost: too many at once", metadata: ["count": "\(lost)"])
        }
        if givenUp > 0 {
            logger.warning("relay use was lost: the store failed too long", metadata: ["count": "\(givenUp)"])
            givenUp = 0
        }
    }

    /// Writes bytes down; what cannot be written now waits.
    private mutating func write() async {
        let uses = ledger.takeUnwritten()
        guard !uses.isEmpty else { return }
        do throws(CallFailure) {
            try await calls.addRelayUse(uses)
        } catch {
            ledger.putBack(uses)
        }
    }
}

extension RelayDeed {
    /// Whether the audit is to tell something of it, or may have to.
    fileprivate var isForAudit: Bool {
        if case .tellOpened(_, isAudited: false) = step { false } else { true }
    }
}

extension RelayEnd {
    init(_ cause: CloseCause) {
        self =
            switch cause {
            case .released: .released
            case .expired: .expired
            case .callEnded: .callEnded
            case .drained: .drained
            }
    }
}
