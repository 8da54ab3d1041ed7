import Glibc

/// How many connections a server can take without using up the files its process may open.
package enum ConnectionCeiling {
  /// `wanted`, or less where `openFiles` are allowed: an eighth of those, and at least 64, are left for everything else.
  package static func connections(wanted: Int, openFiles: Int) -> Int {
    max(1, min(wanted, openFiles - max(64, openFiles / 8)))
  }

  /// Files this process may open, as far as that is known and limited.
  static var openFiles: Int {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return .max }
    return Int(clamping: limit.rlim_cur)
  }
}
