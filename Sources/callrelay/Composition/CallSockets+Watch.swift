import CallModel
import CallService
import Locking
import SignalingGateway
import SocketIO

extension CallSockets {
    /// Tokens that are looked at at the same time.
    private static let looks = 16
    /// How long a client may take to bring another token.
    static let patience = Duration.seconds(5)

    /// Who is behind a session of this node, if it is connected.
    func identity(of session: SessionID) -> Identity? {
        let id = session.split(separator: ".", maxSplits: 1).last.map(String.init) ?? ""
        return members.withLock { $0.bySocket[id]?.identity }
    }

    /// Asks again whose the tokens of these users' sockets are, whatever is remembered of them.
    func recheckTokens(of users: Set<UserID>, forgetting forget: @Sendable (AccessToken) -> Void) async {
        let tokens = members.withLock { members in
            Set(members.bySocket.values.filter { users.contains($0.identity.userID) }.map(\.token))
        }
        guard !tokens.isEmpty else { return }
        for token in tokens { forget(token) }
        await recheckTokens()
    }

    /// Asks again whose the tokens of all sockets are. Whoever has one that is no good any more hears `token-rejected`, and is
    /// put out unless a good one comes in time. Whose token cannot be asked about is put out so that the client tries again.
    func recheckTokens() async {
        let tokens = members.withLock { members in
            Dictionary(grouping: members.bySocket.values) { $0.token }.mapValues { $0.map(\.identity.userID)[0] }
        }
        var rejected: [AccessToken] = []
        await withTaskGroup(of: AccessToken?.self) { group in
            for (number, (token, user)) in tokens.enumerated() {
                if number >= Self.looks, let token = await group.next() ?? nil { rejected.append(token) }
                group.addTask { await self.isRejected(token, of: user) ? token : nil }
            }
            for await token in group { if let token { rejected.append(token) } }
        }
        guard !rejected.isEmpty else { return }
        do {
            try await Task.sleep(for: Self.patience)
        } catch {
            // The server stops, which ends every socket.
            return
        }
        let stillRejected = members.withLock { members in
            members.bySocket.values.filter { $0.isRejected && rejected.contains($0.token) }
        }
        for member in stillRejected {
            // Whoever signed out does not come back, as somebody who lost the network might.
            if member.isSignedOut { await calls.leaveCalls(session: session(of: member.handle), by: member.identity) }
            member.handle.disconnect(closeTransport: true)
        }
    }

    /// Looks at one token and tells its sockets; whether they have to be looked at once more.
    private func isRejected(_ token: AccessToken, of user: UserID) async -> Bool {
        do throws(AuthenticationFailure) {
            let identity = try await verifier.verify(token.text)
            guard identity.userID == user else { throw .otherUser }
            return false
        } catch .unavailable {
            for handle in handles(with: token) { handle.disconnect(closeTransport: true) }
            return false
        } catch {
            let handles = members.withLock { members in
                let sockets = members.bySocket.filter { $0.value.token == token }
                for socket in sockets.keys {
                    members.bySocket[socket]?.isRejected = true
                    members.bySocket[socket]?.isSignedOut = error.isSignedOut
                }
                return sockets.values.map(\.handle)
            }
            for handle in handles { handle.emit("token-rejected", [Self.data(of: error)]) }
            return true
        }
    }

    private func handles(with token: AccessToken) -> [SocketHandle] {
        members.withLock { $0.bySocket.values.filter { $0.token == token }.map(\.handle) }
    }
}

extension AuthenticationFailure {
    /// Whether the homeserver says that the session is over, and not only its token.
    fileprivate var isSignedOut: Bool {
        if case .invalid(_, isSoftLogout: true) = self { false } else { true }
    }
}
