extension CallPage {
    /// One file of the page as it is served.
    public struct Asset: Sendable {
        /// The file's content.
        public let bytes: [UInt8]
        /// Its media type, with the character set for text.
        public let contentType: String
        /// A strong validator in its quotes, as the `ETag` header carries it.
        public let entityTag: String

        init(path: String, bytes: [UInt8]) {
            self.bytes = bytes
            self.contentType = Self.contentType(of: path)
            self.entityTag = Self.entityTag(of: bytes)
        }

        private static func contentType(of path: String) -> String {
            switch path.split(separator: ".").last {
            case "html": "text/html; charset=utf-8"
            case "css": "text/css; charset=utf-8"
            case "js": "text/javascript; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "application/octet-stream"
            }
        }

        /// FNV-1a over the content, and its length: it tells versions of our own files apart and guards nothing.
        private static func entityTag(of bytes: [UInt8]) -> String {
            let offsetBasis: UInt64 = 0xCBF2_9CE4_8422_2325
            let prime: UInt64 = 0x0000_0100_0000_01B3
            let hash = bytes.reduce(offsetBasis) { ($0 ^ UInt64($1)) &* prime }
            return "\"\(String(bytes.count, radix: 16))-\(String(hash, radix: 16))\""
        }
    }
}
