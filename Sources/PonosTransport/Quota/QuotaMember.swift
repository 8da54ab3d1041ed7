/// One connection and the quota it belongs to.
package struct QuotaMember: Sendable {
  package let quota: ResourceQuota
  package let lease: ConnectionLease

  /// Counts that the peer of the connection has reached a limit.
  func note(_ limit: TransportLimit) {
    quota.note(limit, by: lease.host)
  }

  /// Memory that the connection takes in one direction; to be kept by the connection alone.
  func share(_ kind: BufferKind) -> QuotaShare {
    QuotaShare(kind, of: lease, quota: quota)
  }

  /// Notes that the connection has let go of its messages, as it was told.
  func didShed(_ kind: BufferKind) {
    quota.didShed(kind, lease)
  }
}
