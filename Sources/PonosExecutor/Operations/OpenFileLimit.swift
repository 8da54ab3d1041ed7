import Foundation

/// How many files, and so connections, the process may have open.
enum OpenFileLimit {
  /// Asks the system for as many as it grants without privileges, and returns that number; nil when it does not say.
  ///
  /// Service managers and shells start programs with room for 1,024, for the sake of old ones that cannot count further. Aggregators
  /// keep a connection open for every task they have sent.
  static func raise() -> UInt64? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    guard limit.rlim_cur < limit.rlim_max else { return UInt64(limit.rlim_cur) }
    let granted = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return UInt64(granted) }
    return UInt64(limit.rlim_cur)
  }
}
