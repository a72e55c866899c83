import CallModel
import Locking
import Signaling
import SocketIO

extension Hub {
    /// The newest event of a call that this node delivered, if a socket here that has joined or rings depends on the order.
    func cursor(of call: CallID) -> Int64? {
        state.withLock { $0.cursors[call] }
    }

    /// What of the store this node's sockets depend on: calls with the newest event that was delivered, and users.
    var interests: (cursors: [CallID: Int64], users: [UserID]) {
        state.withLock { state in
            let watched = state.watched.mapValues(\.sequence)
            return (state.cursors.merging(watched) { cursor, _ in cursor }, state.rooms.users)
        }
    }

    /// Which sockets here are part of which calls: they have joined, or were told that it rings.
    var attendances: [(call: CallID, socket: SessionID)] { state.withLock { $0.rooms.attendances } }

    /// This node relays for a call: it has to hear of its end.
    func watch(_ call: Call) {
        state.withLock { state in
            let count = state.watched[call.id]?.count ?? 0
            state.watched[call.id] = (call.sequence, count + 1)
            if count == 0, !state.rooms.hasSessions(call.id) { announcer?.changed(.call(call.id), isPresent: true) }
        }
    }

    /// A call that is over needs no watching, however many allocations are still being closed.
    func forgetWatch(_ id: CallID) {
        state.withLock { state in
            guard state.watched.removeValue(forKey: id) != nil, !state.rooms.hasSessions(id) else { return }
            announcer?.changed(.call(id), isPresent: false)
        }
    }

    /// One allocation less for a call; with the last one it is forgotten.
    func unwatch(_ id: CallID) {
        state.withLock { state in
            guard let watched = state.watched[id] else { return }
            state.watched[id] = watched.count > 1 ? (watched.sequence, watched.count - 1) : nil
            if watched.count == 1, !state.rooms.hasSessions(id) { announcer?.changed(.call(id), isPresent: false) }
        }
    }

    /// The sockets of a user that were not told of a call that rings.
    func untold(of call: CallID, user: UserID) -> [SessionID] {
        state.withLock { state in
            state.rooms.sockets(of: user).filter { state.rooms.member($0)?.toldCalls.contains(call) != true }
        }
    }

    /// Hands events to the sockets that are to hear them and moves the call's cursor. Called from the call's lane.
    ///
    /// `events` are those after number `sequence`. If a joined socket here has not heard of all until there, nothing is done
    /// and the answer is false.
    /// With `keepsSessions` the call's sessions are known to be the same as before.
    func deliver(
        _ events: [OutgoingEvent],
        of call: Call,
        after sequence: Int64,
        keepsSessions: Bool = false
    ) -> Bool {
        var emits: [(any CallSocket, String, JSONText)] = []
        var overrun: [any CallSocket] = []
        let isComplete = state.withLock { state in
            let delivered = state.cursors[call.id] ?? 0
            if let cursor = state.cursors[call.id], cursor < sequence { return false }
            for event in events where event.sequence > delivered {
                for id in state.rooms.recipients(of: event, in: call) {
                    guard let socket = state.sockets[id] else { continue }
                    if event.scope == .invited, !state.rooms.tell(id, of: call.id) { continue }
                    let gate = Gate(call: call.id, socket: id)
                    if let waiting = state.gates[gate], event.scope != .invited {
                        if waiting.count < Self.gateLimit {
                            state.gates[gate]?.append(event)
                        } else {
                            overrun.append(socket)
                        }
                    } else {
                        emits.append((socket, event.name, event.json))
                    }
                }
            }
            if keepsSessions {
                if state.cursors[call.id] != nil { state.cursors[call.id] = max(call.sequence, delivered) }
            } else {
                settle(call, &state)
            }
            return true
        }
        for (socket, name, payload) in emits { socket.emit(name, payload) }
        for socket in overrun { socket.close() }
        return isComplete
    }

    /// Makes a socket its user's session in the call. What happens from now on waits behind `kept` until `open`.
    func join(_ socket: SessionID, _ call: Call, kept: [OutgoingEvent], ice: ICEConfiguration) {
        state.withLock { state in
            guard state.sockets[socket] != nil else { return }
            let gate = Gate(call: call.id, socket: socket)
            let isFirst = !state.rooms.hasSessions(call.id)
            state.rooms.join(socket, call.id)
            if isFirst, state.watched[call.id] == nil { announcer?.changed(.call(call.id), isPresent: true) }
            state.gates[gate] = kept
            let credential = Credential(endsAt: ice.expiresAt, secondsToLive: ice.secondsToLive)
            state.credentials[call.id, default: [:]][socket] = credential
            settle(call, &state)
        }
    }

    /// The acknowledgement of `join-call` has been sent: what waited for it follows.
    func open(_ call: CallID, for socket: SessionID) {
        state.withLock { state in
            guard let waiting = state.gates.removeValue(forKey: Gate(call: call, socket: socket)),
                let connection = state.sockets[socket]
            else { return }
            // Inside the lock, so that nothing newer overtakes what waited.
            for event in waiting { connection.emit(event.name, event.json) }
        }
    }

    /// Tells one socket of a call that rings for its user, if it has not been told.
    func tell(_ socket: SessionID, of call: Call) {
        let connection: (any CallSocket)? = state.withLock { state in
            guard state.rooms.tell(socket, of: call.id) else { return nil }
            // It hears what follows, so that it depends on the order from here on.
            if state.cursors[call.id] == nil { state.cursors[call.id] = call.sequence }
            return state.sockets[socket]
        }
        connection?.emit(
            "call-incoming",
            .object([("callId", .string(call.id.rawValue)), ("seq", .integer(call.sequence)), ("call", call.json)])
        )
    }

    /// Joined sessions whose credentials end before a tenth of their time, and at most five minutes, is left.
    func sessionsNeedingCredentials(at now: Timestamp) -> [(call: CallID, user: UserID, socket: any CallSocket)] {
        state.withLock { state in
            state.rooms.joinedSessions.compactMap { call, user, id in
                guard let credential = state.credentials[call]?[id], let socket = state.sockets[id],
                    state.gates[Gate(call: call, socket: id)] == nil
                else { return nil }
                let margin = min(Int64(credential.secondsToLive) * 100, 300_000)
                return credential.endsAt <= now.advanced(byMilliseconds: margin) ? (call, user, socket) : nil
            }
        }
    }

    /// Sends a joined session new credentials.
    func renewCredentials(_ ice: ICEConfiguration, for socket: any CallSocket, in call: CallID) {
        let isStillThere = state.withLock { state in
            guard state.credentials[call]?[socket.id] != nil else { return false }
            let credential = Credential(endsAt: ice.expiresAt, secondsToLive: ice.secondsToLive)
            state.credentials[call]?[socket.id] = credential
            return true
        }
        if isStillThere { socket.emit("ice-servers", ice.json) }
    }
}

extension Hub {
    /// Brings the node's view of a call in line with its committed state. Called inside the lock.
    private func settle(_ call: Call, _ state: inout State) {
        let hadSessions = state.rooms.hasSessions(call.id)
        state.rooms.reconcile(with: call)
        let hasSessions = state.rooms.hasSessions(call.id)
        if hadSessions, !hasSessions, state.watched[call.id] == nil {
            announcer?.changed(.call(call.id), isPresent: false)
        }
        let newest = max(call.sequence, state.cursors[call.id] ?? 0)
        state.cursors[call.id] = state.rooms.hasListeners(call.id) ? newest : nil
        for socket in (state.credentials[call.id] ?? [:]).keys
        where state.rooms.member(socket)?.calls.contains(call.id) != true {
            state.forget(Gate(call: call.id, socket: socket))
        }
    }
}
