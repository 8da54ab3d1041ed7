/// What one connection takes of the memory of its quota in one direction, reserved in chunks.
struct QuotaShare {
  /// Bytes that are reserved at a time.
  static let chunk = 16 << 10
  /// Bytes that a connection may have without reserving them: the small messages of most calls come and go below this.
  static let allowance = 4 << 10

  private let quota: ResourceQuota
  private let lease: ConnectionLease
  private let kind: BufferKind
  private(set) var reserved = 0

  init(_ kind: BufferKind, of lease: ConnectionLease, quota: ResourceQuota) {
    self.kind = kind
    self.lease = lease
    self.quota = quota
  }

  /// Reserves what `used` bytes need. What is too much by less than two chunks is kept, unless nothing is needed any more.
  mutating func settle(at used: Int) {
    let needed = used <= Self.allowance ? 0 : (used + Self.chunk - 1) / Self.chunk * Self.chunk
    guard needed > reserved || needed == 0 || reserved - needed >= 2 * Self.chunk, needed != reserved else { return }
    let delta = needed - reserved
    reserved = needed
    quota.reserve(kind, for: lease, by: delta)
  }
}
