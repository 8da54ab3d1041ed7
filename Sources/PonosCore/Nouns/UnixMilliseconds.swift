/// Milliseconds since 1970-01-01T00:00:00Z.
package typealias UnixMilliseconds = Int64
