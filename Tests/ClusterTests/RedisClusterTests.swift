import CallModel
import CallService
import SocketIO
import Testing

@testable import Cluster

@Suite("Events of calls on Redis")
struct RedisClusterTests {
    private static func call() throws -> Call {
        let wish = CallInitiation(roomID: "!room", callType: .voice, invitees: ["@bob:hs", "@carol:hs"])
        let id = try #require(CallID("call-1"))
        let transition = try wish.begin(
            id: id,
            by: Actor(userID: "@alice:hs"),
            audience: ["@bob:hs", "@carol:hs"],
            reachable: [],
            now: Timestamp(milliseconds: 0),
            policy: CallPolicy()
        )
        return transition.call
    }

    private static func event(_ scope: EventScope, to recipient: UserID? = nil) throws -> OutgoingEvent {
        OutgoingEvent(
            callID: try #require(CallID("call-1")),
            sequence: 2,
            name: "e",
            scope: scope,
            sender: "@bob:hs",
            recipient: recipient,
            body: "}"
        )
    }

    @Test("Events go to the rooms of those who are to hear them")
    func rooms() throws {
        let call = try Self.call()
        let users = ["user:@alice:hs", "user:@bob:hs", "user:@carol:hs"]
        #expect(try RedisCluster.rooms(of: Self.event(.invited), in: call) == Array(users.dropFirst()))
        #expect(try RedisCluster.rooms(of: Self.event(.audience), in: call) == ["call:call-1"] + users)
        #expect(try RedisCluster.rooms(of: Self.event(.joined), in: call) == ["call:call-1"])
        #expect(try RedisCluster.rooms(of: Self.event(.joined, to: "@carol:hs"), in: call) == ["user:@carol:hs"])
        #expect(try RedisCluster.rooms(of: Self.event(.joinedAndOwn), in: call) == ["call:call-1", "user:@bob:hs"])
    }

    @Test("Whatever names a call and a number is a hint, whoever sent it; nothing else is")
    func hints() throws {
        func broadcast(_ arguments: [JSONText]) -> AdapterBroadcast {
            AdapterBroadcast(sender: "emitter", event: "call-ended", arguments: arguments, rooms: ["call:call-1"])
        }
        let hint = try #require(RedisCluster.call(of: broadcast([["callId": "call-1", "seq": 7]])))
        #expect(hint == (try #require(CallID("call-1")), 7))
        #expect(RedisCluster.call(of: broadcast([["callId": "call-1", "seq": "7"]]))?.sequence == .max)
        #expect(RedisCluster.call(of: broadcast([["callId": "call-1"]])) == nil)
        #expect(RedisCluster.call(of: broadcast([["callId": "no call's id!", "seq": 7]])) == nil)
        #expect(RedisCluster.call(of: broadcast(["call-1"])) == nil)
        #expect(RedisCluster.call(of: broadcast([])) == nil)
    }
}
