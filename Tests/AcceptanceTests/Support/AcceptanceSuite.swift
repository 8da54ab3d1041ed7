import Testing

/// The built daemon, real performers in real containers. Suites follow one another: they share the machine's Docker engine, and
/// some measure time.
@Suite("Acceptance", .serialized, .needsImages)
enum Acceptance {}

/// One daemon for all tests of a suite.
struct SharedDaemon: SuiteTrait, TestScoping {
  let configuration: DaemonConfiguration

  func provideScope(for test: Test, testCase: Test.Case?, performing tests: () async throws -> Void) async throws {
    try await Daemon.running(configuration) { daemon in
      try await Daemon.$shared.withValue(daemon) { try await tests() }
    }
  }
}

/// One local registry for all tests of a suite.
struct SharedRegistry: SuiteTrait, TestScoping {
  func provideScope(for test: Test, testCase: Test.Case?, performing tests: () async throws -> Void) async throws {
    try await LocalRegistry.running { registry in
      try await LocalRegistry.$shared.withValue(registry) { try await tests() }
    }
  }
}

/// Fails a suite at once, and saying why, where the images of the performers are missing.
struct NeedsImages: SuiteTrait, TestScoping {
  func provideScope(for test: Test, testCase: Test.Case?, performing tests: () async throws -> Void) async throws {
    try await Images.requireAll()
    try await tests()
  }
}

extension Trait where Self == SharedDaemon {
  static func daemon(_ configuration: DaemonConfiguration) -> SharedDaemon { SharedDaemon(configuration: configuration) }
}

extension Trait where Self == SharedRegistry {
  static var localRegistry: SharedRegistry { SharedRegistry() }
}

extension Trait where Self == NeedsImages {
  static var needsImages: NeedsImages { NeedsImages() }
}

extension Daemon {
  @TaskLocal static var shared: Daemon?

  /// The daemon of the suite that is running.
  static func ofSuite() throws -> Daemon {
    try #require(shared, "the suite lacks the .daemon trait")
  }
}

extension LocalRegistry {
  @TaskLocal static var shared: LocalRegistry?

  /// The registry of the suite that is running.
  static func ofSuite() throws -> LocalRegistry {
    try #require(shared, "the suite lacks the .localRegistry trait")
  }
}
