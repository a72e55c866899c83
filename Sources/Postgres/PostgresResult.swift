import CPostgres

// SAFETY: @safe because the handle is valid for as long as the object lives, and never leaves it.
/// The rows that a command brought, to be read where they were received. Reading beyond them is our own mistake.
@safe
public final class PostgresResult {
    private let handle: OpaquePointer

    /// Owns the result from now on.
    init(_ handle: OpaquePointer) { unsafe self.handle = handle }

    deinit { unsafe PQclear(handle) }

    /// How many rows there are.
    public var rowCount: Int { Int(unsafe PQntuples(handle)) }

    /// The text in a column; nil for NULL.
    public func text(_ row: Int, _ column: Int) -> String? {
        guard let bytes = unsafe bytes(row, column) else { return nil }
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// The number in a column of type bigint, integer or smallint; nil for NULL.
    public func number(_ row: Int, _ column: Int) -> Int64? {
        guard let bytes = unsafe bytes(row, column), let first = unsafe bytes.first else { return nil }
        // The sign is that of the first byte.
        return unsafe bytes.reduce(first >= 0x80 ? -1 : 0) { number, byte in number << 8 | Int64(byte) }
    }

    /// Whether the column is true; nil for NULL.
    public func boolean(_ row: Int, _ column: Int) -> Bool? {
        guard let bytes = unsafe bytes(row, column) else { return nil }
        return unsafe bytes.first == 1
    }

    /// The value, which libpq keeps until the result is cleared; nil for NULL.
    private func bytes(_ row: Int, _ column: Int) -> UnsafeRawBufferPointer? {
        precondition(row >= 0 && row < rowCount && column >= 0 && column < Int(unsafe PQnfields(handle)))
        guard unsafe PQgetisnull(handle, Int32(row), Int32(column)) == 0 else { return nil }
        let length = Int(unsafe PQgetlength(handle, Int32(row), Int32(column)))
        return unsafe UnsafeRawBufferPointer(start: PQgetvalue(handle, Int32(row), Int32(column)), count: length)
    }
}
