extension String {
    /// Whether both are the same byte for byte. `==` takes for equal what Unicode does, too.
    public func isIdentical(to other: String) -> Bool {
        guard utf8.count == other.utf8.count else { return false }
        // SAFETY: both buffers are read inside the closures alone.
        let isSame = unsafe utf8.withContiguousStorageIfAvailable { bytes in
            unsafe other.utf8.withContiguousStorageIfAvailable { unsafe bytes.elementsEqual($0) }
        }
        // A string of this language's own has contiguous storage.
        return (isSame ?? nil) ?? utf8.elementsEqual(other.utf8)
    }
}
