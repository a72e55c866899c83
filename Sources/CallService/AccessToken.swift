/// A user's access token of a homeserver. It is the user's whole account, so it is held in memory alone, as long as it is used,
/// and whatever prints or dumps it shows that there is one and no more.
public struct AccessToken: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The token, to be sent to its homeserver and nobody else.
    public let text: String

    /// A token that its homeserver has vouched for.
    public init(_ text: String) { self.text = text }

    /// Not the token.
    public var description: String { "(access token)" }
    /// Not the token.
    public var debugDescription: String { description }
    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
