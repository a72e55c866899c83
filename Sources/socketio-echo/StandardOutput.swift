import Glibc

/// Pushes out what was printed: through a pipe, lines stay in the buffer otherwise.
func flushStandardOutput() {
    fflush(nil)
}
