/// Which peer addresses may be relayed to.
public struct PeerPolicy: Sendable {
}
