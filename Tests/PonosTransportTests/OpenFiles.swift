import Glibc
import NIOCore
import Testing

/// A process that may open no more files.
enum OpenFiles {
  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)

  /// Runs `body` while no descriptor is to be had beyond one, which it may use for a socket of its own: `body` gets it.
  static func withoutAny<Result>(_ body: () throws -> Result) throws -> Result {
    var limit = rlimit()
    try #require(getrlimit(resource, &limit) == 0)
    let allowed = limit
    defer {
      var restored = allowed
      setrlimit(resource, &restored)
    }
    let lowest = dup(0)
    try #require(lowest >= 0)
    close(lowest)
    limit.rlim_cur = rlim_t(lowest) + 1
    try #require(setrlimit(resource, &limit) == 0)
    return try body()
  }

  /// Raises the number of files that may be open to `wanted`, as far as the system allows; returns the number.
  static func raise(to wanted: Int) -> Int {
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return 0 }
    limit.rlim_cur = max(limit.rlim_cur, min(rlim_t(wanted), limit.rlim_max))
    return setrlimit(resource, &limit) == 0 ? Int(clamping: limit.rlim_cur) : 0
  }

  /// Connects to a listener that has no descriptor left for it; returns the processor time that this process takes meanwhile.
  static func connectAndWait(port: Int, milliseconds: Int) throws -> Duration {
    let peer = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(peer >= 0)
    defer { close(peer) }
    let address = try SocketAddress(ipAddress: "127.0.0.1", port: port)
    let connected = address.withSockAddr { connect(peer, $0, socklen_t($1)) }
    try #require(connected == 0)
    let before = processorTime()
    usleep(UInt32(milliseconds) * 1_000)
    return processorTime() - before
  }

  private static func processorTime() -> Duration {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
  }
}
