import Glibc

/// Standard output, for whoever reads it through a pipe.
enum StandardOutput {
    /// Has what was printed leave now.
    static func flush() {
        // SAFETY: a null stream means all of them.
        _ = unsafe fflush(nil)
    }
}
