import CallModel
import Signaling
import SocketIO
import Testing

@Suite("The JSON form of calls")
struct CallJSONTests {
    func call(invitees: [String] = ["@b:hs"]) throws -> CallTransition {
        let wish = CallInitiation(roomID: "!r\"", callType: .video, invitees: invitees)
        return try wish.begin(
            id: #require(CallID("c1")),
            by: Actor(userID: "@a:hs"),
            audience: invitees,
            reachable: [],
            now: Timestamp(milliseconds: 1),
            policy: CallPolicy()
        )
    }

    @Test("A call is written in one order, without what it does not have")
    func form() throws {
        let transition = try call()
        #expect(
            transition.call.json.text == #"""
                {"callId":"c1","roomId":"!r\"","callType":"video","group":false,"state":"ringing","createdBy":"@a:hs",\#
                "createdAt":"1970-01-01T00:00:00.001Z","seq":1,"participants":[{"userId":"@a:hs","deviceId":"default",\#
                "state":"joined","audioEnabled":true,"videoEnabled":true,"joinedAt":"1970-01-01T00:00:00.001Z"},\#
                {"userId":"@b:hs","state":"invited","audioEnabled":true,"videoEnabled":true}]}
                """#
        )
        let event = try #require(transition.outgoing.first)
        #expect(event.name == "call-incoming" && event.scope == .invited)
        #expect(event.payload == #"{"callId":"c1","seq":1,"call":\#(transition.call.json.text)}"#)
    }

    @Test("The end of a call says all; who missed it or said no stands in the history")
    func ending() throws {
        let call = try call().call
        let missed = call.advanced(to: Timestamp(milliseconds: 70_000), policy: CallPolicy())
        #expect(missed.events.map(\.kind) == [.missed, .ended(.missed)])
        let event = try #require(missed.outgoing.first)
        #expect(missed.outgoing.count == 1 && event.name == "call-ended")
        #expect(try JSONText(validating: event.payload)["by"] == nil)
        #expect(try JSONText(validating: event.payload)["reason"]?.stringValue == "missed")
        let audit = missed.events.map(\.auditJSON.text)
        #expect(audit[1] == #"{"seq":3,"kind":"ended","at":"1970-01-01T00:01:10.000Z","reason":"missed"}"#)
    }

    @Test("One of several who says no is told to the joined and to its own sockets")
    func refusal() throws {
        let call = try call(invitees: ["@b:hs", "@c:hs"]).call
        let refused = try call.applying(
            .reject(nil),
            by: Actor(userID: "@b:hs"),
            now: Timestamp(milliseconds: 2),
            policy: CallPolicy()
        )
        #expect(refused.outgoing.map(\.name) == ["user-left"])
        var rooms = SocketRooms()
        for (socket, user) in [("a1", "@a:hs"), ("b1", "@b:hs"), ("b2", "@b:hs"), ("c1", "@c:hs"), ("m1", "@m:hs")] {
            _ = rooms.connect(socket, user: user, rooms: [])
        }
        rooms.join("a1", call.id)
        let event = try #require(refused.outgoing.first)
        #expect(rooms.recipients(of: event, in: refused.call) == ["a1", "b1", "b2"])
    }
}
