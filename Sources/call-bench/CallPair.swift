/// Two sockets that have joined one call.
struct CallPair: Sendable {
    let callID: String
    let callerUser: BenchUser
    let calleeUser: BenchUser
    let caller: BenchSocket
    let callee: BenchSocket
    /// What `join-call` was acknowledged with.
    let callerAnswer: String
    let calleeAnswer: String

    /// Connects two users, places a call between them, takes it and joins it on both sides. With `places` false the call is
    /// only joined, under an id made up here.
    static func join(_ context: BenchContext, number: Int, places: Bool = true) async throws -> CallPair {
        let callerUser = context.user(2 * number)
        let calleeUser = context.user(2 * number + 1)
        let caller = try await context.connect(callerUser)
        let callee = try await context.connect(calleeUser)
        var callID = "call-\(context.run)-\(number)"
        if places {
            let room = "!\(context.run)-\(number):localhost"
            callID = try await context.api.initiate(roomID: room, invitees: [calleeUser.name], by: callerUser)
            try await context.api.answer(callID, by: calleeUser)
        }
        let callerAnswer = try await caller.emit("join-call", "{\"callId\":\"\(callID)\"}")
        let calleeAnswer = try await callee.emit("join-call", "{\"callId\":\"\(callID)\"}")
        return CallPair(
            callID: callID,
            callerUser: callerUser,
            calleeUser: calleeUser,
            caller: caller,
            callee: callee,
            callerAnswer: callerAnswer,
            calleeAnswer: calleeAnswer
        )
    }
}
