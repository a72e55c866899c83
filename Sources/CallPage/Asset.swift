extension CallPage {
    /// One file of the page as it is served.
    public struct Asset: Sendable {
        /// The file's content.
        public let bytes: [UInt8]
        /// Its media type, with the character set for text.
        public let contentType: String

        init(path: String, bytes: [UInt8]) {
            self.bytes = bytes
            self.contentType = Self.contentType(of: path)
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
    }
}
