import CallModel

/// What somebody set out to do, as a node has it in hand: loaded at one moment, applied and committed at a later one.
/// Whatever the other acts do lies between.
struct ActUnderway {
    enum Errand {
        /// Place a call; the audience, or why there is none, was found when the wish came in.
        case initiate(CallInitiation, Result<[UserID], CallFailure>, reachable: Set<UserID>)
        /// An act on a call that exists.
        case act(CallAction, CallID)
        /// Act on the deadlines of a call that are due.
        case sweep(CallID)
    }

    enum Step {
        /// Write a new call.
        case place
        /// See what call the room has.
        case look
        /// Read the call.
        case load(CallID)
        /// Apply the act to what was read, and commit.
        case apply(Call)
    }

    /// How often an act is applied anew because the call has changed; as in the service.
    static let attempts = 32

    let node: Int
    let actor: Actor
    let errand: Errand
    var step: Step
    var attempt = 1
}

extension ActUnderway: CustomStringConvertible {
    var description: String {
        let deed =
            switch errand {
            case .initiate(let wish, _, _):
                "initiate \(wish.isGroup ? "group" : "1:1") for "
                    + (wish.invitees?.prefix(3).joined(separator: ",") ?? "all")
            case .act(let action, _): "\(action)".replacing("CallModel.", with: "")
            case .sweep: "sweep"
            }
        let from = [actor.userID, actor.deviceID, actor.session].compactMap(\.self).joined(separator: " ")
        return "node \(node): \(from) \(deed)"
    }
}

/// How an act came out.
enum ActOutcome: Hashable {
    case changed
    case unchanged
    case refused(code: String)
}
