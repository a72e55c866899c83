import Glibc

/// Standard output, for whoever reads it through a pipe.
enum StandardOutput {
    /// Has what was printed leave now.
    static func flush() {
        // A null stream means all of them.
        _ = fflush(nil)
    }
}
