import CallModel

extension CallService {
    /// Tells this node's sockets what was committed although the store's answer was lost.
    func tellUntold() async {
        for id in untold.all {
            do throws(CallFailure) {
                try await inLane(id) { () async throws(CallFailure) in try await self.catchUp(id) }
                untold.forget(id)
            } catch {
                // Logged by `stored`; the next sweep looks again.
                return
            }
        }
    }
}
