/// Makes the ids that clients are known by: 120 random bits as 20 characters of base64url.
public enum SessionIdentifier {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// A new id. The Engine.IO one lets its holder act for the client, so `random` must be unpredictable.
    public static func random(using random: inout some RandomNumberGenerator) -> String {
        var characters: [UInt8] = []
        characters.reserveCapacity(20)
        for _ in 0..<2 {
            var bits: UInt64 = random.next()
            for _ in 0..<10 {
                characters.append(alphabet[Int(bits & 63)])
                bits >>= 6
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }
}
