import CallModel
import CallStoreTestSupport
import SocketIO
import Testing

@testable import CallService

@Suite("Sockets that come and go at a bad moment")
struct SocketTroubleTests {
    @Test("The newest list of a room's members is the last that each of its sockets hears")
    func roomMembers() async {
        for _ in 0..<500 {
            let hub = Hub()
            let sockets = (0..<6).map { FakeSocket("s\($0)") }
            await withTaskGroup(of: Void.self) { group in
                for socket in sockets {
                    group.addTask { hub.connect(socket, user: "@\(socket.id):hs", rooms: ["!room"]) }
                }
            }
            for socket in sockets {
                #expect(socket.take().last?.payload["members"]?.elements()?.count == sockets.count)
            }
        }
    }

    @Test("A socket that is lost while the store cannot be written to is on its grace once it can")
    func lossWhileTheStoreIsAway() async throws {
        let fixture = try await ServiceFixture()
        let store = try fixture.failingStore()
        let node = try fixture.node(store: store)
        let (id, _, bob) = try await fixture.activeCall(node)
        store.fail(.writes)
        await node.service.disconnected("a1")
        await node.service.sweep()
        #expect(try await node.service.status(id, by: Node.identity("bob")).participant("@alice:hs")?.state == .joined)

        store.fail(.none)
        await node.service.sweep()
        let alice = try await node.service.status(id, by: Node.identity("bob")).participant("@alice:hs")
        #expect(alice?.state == .reconnecting)
        await node.service.sweep()
        fixture.clock.advance(30_000)
        await node.service.sweep()
        #expect(bob.takeNames() == ["user-left", "call-ended"])
        #expect(node.service.hub.unwrittenLosses.isEmpty)
    }
}
