#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

extension PerformerServer {
  /// The whole of a performer's process: makes the server, serves until SIGTERM or SIGINT, and returns.
  ///
  /// What goes wrong (a setting that makes no sense, a port that is taken) is said on standard error in one line, and the
  /// process ends with status 1.
  public static func main(_ makeServer: @Sendable () throws -> PerformerServer) async {
    do {
      try await makeServer().run()
    } catch {
      let reason = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
      StandardStream.errors().write("the performer cannot serve: \(reason)")
      exit(1)
    }
  }
}
