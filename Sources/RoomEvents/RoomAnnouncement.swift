/// What a room may be told of a call.
public enum RoomAnnouncement: Hashable, Sendable {
    /// Nothing: there is no homeserver.
    case none
    /// That there is a call, without anything that the call's media would be found by.
    case withoutOffer
    /// That, with the caller's offer, its addresses taken out.
    case withOffer
    /// That there is a call, by the caller's own client, which encrypts it: the server says nothing.
    case byClient
}
