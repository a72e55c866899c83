public import CallModel
import CallStore
public import Signaling
import SocketIO

extension CallService {
    /// A call, for somebody of its audience.
    public func status(_ id: CallID, by identity: Identity) async throws(CallFailure) -> Call {
        guard let call = try await stored({ () async throws(StoreFailure) in try await self.store.call(id) }) else {
            throw .callNotFound
        }
        guard call.participant(identity.userID) != nil else { throw .forbidden }
        try await rooms.requireMember(of: call.roomID, identity)
        return call
    }

    /// The user's calls that have not ended, the newest first.
    public func activeCalls(by identity: Identity) async throws(CallFailure) -> [Call] {
        let calls = try await stored { () async throws(StoreFailure) in
            try await self.store.activeCalls(of: identity.userID, limit: CallLimits.activeCallsShown)
        }
        var shown: [Call] = []
        for call in calls {
            do throws(CallFailure) {
                try await rooms.requireMember(of: call.roomID, identity)
                shown.append(call)
            } catch {
                switch error {
                case .notInRoom: continue
                case .tokenRejected: throw error
                // Whoever is of the call's audience was in the room when it was placed.
                default: shown.append(call)
                }
            }
        }
        return shown
    }

    /// The user's ended calls, the newest first. A `limit` beyond 1…`CallLimits.pageSize` is brought into it.
    public func history(cursor: String?, limit: Int?, by identity: Identity) async throws(CallFailure) -> Page {
        var place: HistoryCursor?
        if let cursor {
            guard let known = HistoryCursor(cursor) else { throw .invalid(detail: "cursor is none of ours.") }
            place = known
        }
        let size = Self.pageSize(limit)
        let calls = try await stored { [place] () async throws(StoreFailure) in
            try await self.store.history(of: identity.userID, before: place, limit: size + 1)
        }
        let shown = calls.prefix(size)
        let next =
            calls.count > size ? shown.last.map { HistoryCursor(createdAt: $0.createdAt, callID: $0.id).text } : nil
        return Page(items: shown.map(\.json), nextCursor: next)
    }

    /// The audit of a call, the oldest first: kinds, who, when and sizes; no payloads.
    public func events(
        _ id: CallID,
        cursor: String?,
        limit: Int?,
        by identity: Identity
    ) async throws(CallFailure) -> Page {
        _ = try await status(id, by: identity)
        var after: Int64 = 0
        if let cursor {
            guard let known = Int64(cursor, radix: 36), known >= 0 else {
                throw .invalid(detail: "cursor is none of ours.")
            }
            after = known
        }
        let size = Self.pageSize(limit)
        let events = try await stored { [after] () async throws(StoreFailure) in
            try await self.store.events(of: id, after: after, limit: size + 1)
        }
        let shown = events.prefix(size)
        let next = events.count > size ? shown.last.map { String($0.sequence, radix: 36) } : nil
        return Page(items: shown.map(\.auditJSON), nextCursor: next)
    }

    /// ICE servers outside any call.
    public func iceServers(by identity: Identity, relayOnly: Bool = false) -> ICEConfiguration {
        ice.iceServers(for: identity.userID, call: nil, relayOnly: relayOnly, now: clock())
    }

    private static func pageSize(_ limit: Int?) -> Int {
        min(max(limit ?? 50, 1), CallLimits.pageSize)
    }
}
