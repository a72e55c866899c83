import Glibc

/// The number in an environment variable; nil if it is not set, or no number.
func environmentNumber(_ name: String) -> Int? {
    // SAFETY: the string belongs to the environment, which no test changes, and is copied at once.
    guard let text = unsafe getenv(name) else { return nil }
    return unsafe Int(String(cString: text))
}
