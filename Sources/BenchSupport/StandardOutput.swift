import Glibc

/// Standard output, for whoever reads it through a pipe.
public enum StandardOutput {
    /// Has what was printed leave now.
    public static func flush() {
        // A null stream means all of them.
        _ = fflush(nil)
    }
}
