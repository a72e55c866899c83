/// The sizes that a call keeps within, whatever clients send.
public enum CallLimits {
    /// Other users that one call may ring for by name. More: `too_many_invitees`.
    public static let invitees = 64
    /// Bytes of a user id or room id; Matrix allows as many. More: `invalid_request`.
    public static let identifierLength = 255
    /// Bytes of a device id. More: `invalid_request`.
    public static let deviceIDLength = 255
    /// Bytes of a session description's JSON text. More: `too_large`.
    public static let descriptionSize = 65_536
    /// Bytes of a candidate's JSON text. More: `too_large`.
    public static let candidateSize = 4096
    /// Candidates in one request. More: `too_large`.
    public static let candidatesPerBatch = 64
    /// Newest events of a call that can be sent again, of those that clients are told; older ones are dropped, and a resume
    /// that missed as many is refused with `resync_required`.
    public static let keptEvents = 1024
    /// Bytes of one sender's candidates that a fresh session is sent; the oldest beyond are left out.
    public static let keptCandidatesSize = 65_536
    /// Bytes of events that one resume may carry. More: `resync_required`.
    public static let replaySize = 524_288
    /// Bytes of the `reason` that a client gives. More: `invalid_request`.
    public static let reasonLength = 64
    /// Items on one page of a list; a larger `limit` is cut to it.
    public static let pageSize = 100
    /// Calls at the same time that one user may be part of and that are shown as active.
    public static let activeCallsShown = 100
}
